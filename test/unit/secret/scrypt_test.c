// SPDX-License-Identifier: Apache-2.0
// Tests of scrypt: the vectors of RFC 7914, and agreement with OpenSSL where it computes too.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs the four above.
#include <cmocka.h>

#include "base/hex.h"
#include "secret/scrypt.h"

#include <openssl/evp.h>

static void rfc_7914_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *passphrase, *salt;
        uint64_t n, r, p;
        const char *derived;
    } rows[] = {
        {"", "", 16, 1, 1,
         "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
         "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"},
        {"password", "NaCl", 1024, 8, 16,
         "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
         "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"},
        {"pleaseletmein", "SodiumChloride", 16384, 8, 1,
         "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
         "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t expected[64], derived[64];
        assert_true(hex_decode(expected, sizeof expected, rows[i].derived));
        assert_true(scrypt_unbounded(derived, sizeof derived, bytes_of_text(rows[i].passphrase),
                                     bytes_of_text(rows[i].salt), rows[i].n, rows[i].r, rows[i].p));
        assert_memory_equal(derived, expected, sizeof expected);
    }
}

static void it_agrees_with_openssl(void **state)
{
    (void)state;
    for (uint64_t r = 1; r <= 5; r++) {
        for (uint64_t p = 1; p <= 3; p++) {
            uint8_t ours[32], theirs[32];
            assert_true(scrypt_unbounded(ours, sizeof ours, bytes_of_text("words"),
                                         bytes_of_text("salt"), 64, r, p));
            assert_int_equal(EVP_PBE_scrypt("words", 5, (const uint8_t *)"salt", 4, 64, r, p,
                                            1 << 20, theirs, sizeof theirs),
                             1);
            assert_memory_equal(ours, theirs, sizeof ours);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_7914_vectors),
        cmocka_unit_test(it_agrees_with_openssl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
