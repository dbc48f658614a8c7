// SPDX-License-Identifier: Apache-2.0
// Keys and signatures on libsecp256k1, with one context for all threads.
#include "eth/key.h"

#include "base/random.h"
#include "eth/keccak.h"

#include <pthread.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC_KEY_BYTES 65 // 0x04, x, y

static secp256k1_context *shared_context;
static pthread_once_t context_made = PTHREAD_ONCE_INIT;

// Blinded once, before any thread uses it; from then on it is only read.
static void make_context(void)
{
    uint8_t seed[32];
    shared_context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    random_fill(random_system(), seed, sizeof seed);
    if (!shared_context || !secp256k1_context_randomize(shared_context, seed))
        abort();
    bytes_wipe(seed, sizeof seed);
}

static const secp256k1_context *context(void)
{
    pthread_once(&context_made, make_context);
    return shared_context;
}

bool eth_key_from_secret(struct eth_key *ret_key, const uint8_t secret[32])
{
    if (!secp256k1_ec_seckey_verify(context(), secret))
        return false;
    memcpy(ret_key->secret, secret, sizeof ret_key->secret);
    return true;
}

void eth_key_wipe(struct eth_key *key)
{
    bytes_wipe(key, sizeof *key);
}

static struct address address_of_public_key(const secp256k1_pubkey *public_key)
{
    uint8_t serialized[PUBLIC_KEY_BYTES];
    size_t size = sizeof serialized;
    struct address address;
    secp256k1_ec_pubkey_serialize(context(), serialized, &size, public_key,
                                  SECP256K1_EC_UNCOMPRESSED);
    struct hash32 hash = keccak256((struct bytes){serialized + 1, sizeof serialized - 1});
    memcpy(address.bytes, hash.bytes + 12, sizeof address.bytes);
    return address;
}

struct address eth_key_address(const struct eth_key *key)
{
    secp256k1_pubkey public_key;
    if (!secp256k1_ec_pubkey_create(context(), &public_key, key->secret))
        abort(); // the key did not come from eth_key_from_secret
    return address_of_public_key(&public_key);
}

struct eth_signature eth_sign(const struct eth_key *key, const struct hash32 *digest)
{
    secp256k1_ecdsa_recoverable_signature internal;
    struct eth_signature signature;
    uint8_t compact[64];
    int recovery_id;
    if (!secp256k1_ecdsa_sign_recoverable(context(), &internal, digest->bytes, key->secret, NULL,
                                          NULL))
        abort(); // the key did not come from eth_key_from_secret
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), compact, &recovery_id,
                                                            &internal);
    if (recovery_id > 1)
        abort(); // r wrapped around the group order: one in 2^127, and Ethereum has no form for it
    memcpy(signature.r, compact, sizeof signature.r);
    memcpy(signature.s, compact + sizeof signature.r, sizeof signature.s);
    signature.y_parity = (uint8_t)recovery_id;
    return signature;
}

// EIP-2: of the two values of s that verify, only the lower one is valid.
static bool has_low_s(const secp256k1_ecdsa_recoverable_signature *internal)
{
    secp256k1_ecdsa_signature plain;
    secp256k1_ecdsa_recoverable_signature_convert(context(), &plain, internal);
    return !secp256k1_ecdsa_signature_normalize(context(), NULL, &plain);
}

bool eth_recover(struct address *ret_signer, const struct eth_signature *signature,
                 const struct hash32 *digest)
{
    secp256k1_ecdsa_recoverable_signature internal;
    secp256k1_pubkey public_key;
    uint8_t compact[64];
    if (signature->y_parity > 1)
        return false;
    memcpy(compact, signature->r, sizeof signature->r);
    memcpy(compact + sizeof signature->r, signature->s, sizeof signature->s);
    if (!secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &internal, compact,
                                                             signature->y_parity))
        return false;
    if (!has_low_s(&internal) ||
        !secp256k1_ecdsa_recover(context(), &public_key, &internal, digest->bytes))
        return false;
    *ret_signer = address_of_public_key(&public_key);
    return true;
}
