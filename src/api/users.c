// SPDX-License-Identifier: Apache-2.0
// Users, mints and affiliates.
#include "api/call.h"
#include "api/handlers.h"
#include "api/render.h"
#include "store/programs.h"

struct user_input {
    struct address wallet;
    struct address referrer;
    bool has_referrer;
    const char *program;
    bool mint;
};

static enum status answer_user(struct call *call, struct store_tx *tx, int http_status,
                               const struct user *user)
{
    struct out out;
    const char *program;
    enum status status = render_program_name(tx, &program, user->program_id, call->arena);
    if (status != STATUS_OK)
        return status;
    out_start(&out, call->arena);
    render_user(&out, NULL, user, program);
    return call_set_answer(call, http_status, &out);
}

// What is recorded, without naming it: the scope write does not imply read.
static const char *recorded_referrer(const struct user *user)
{
    return address_is_zero(&user->referrer) ? "it is registered without a referrer"
                                            : "it is registered with another referrer";
}

static const char *recorded_program(const struct user *user)
{
    return user->program_id == 0 ? "it is registered without a program"
                                 : "it is registered with another program";
}

static enum status apply_create(struct call *call, struct store_tx *tx)
{
    const struct user_input *input = call->input;
    enum user_outcome outcome;
    struct user user;
    enum status status = user_register(tx, &outcome, &user, &input->wallet,
                                       input->has_referrer ? &input->referrer : NULL,
                                       input->program, input->mint, &call->trace);
    if (status != STATUS_OK)
        return status;
    switch (outcome) {
    case USER_CREATED:
        return answer_user(call, tx, 201, &user);
    case USER_UNCHANGED:
        return answer_user(call, tx, 200, &user);
    case USER_OTHER_REFERRER:
        return call_set_problem(call, PROBLEM_OTHER_REFERRER, recorded_referrer(&user));
    case USER_OTHER_PROGRAM:
        return call_set_problem(call, PROBLEM_OTHER_PROGRAM, recorded_program(&user));
    case USER_UNKNOWN_PROGRAM:
        return call_set_problem(call, PROBLEM_PROGRAM_UNKNOWN, NULL);
    case USER_SELF_REFERRAL:
        return call_set_problem(call, PROBLEM_SELF_REFERRAL, NULL);
    case USER_REFERRAL_CYCLE:
        return call_set_problem(call, PROBLEM_REFERRAL_CYCLE, NULL);
    }
    return STATUS_CORRUPT;
}

static bool take_mint(struct call *call, bool *ret_mint)
{
    const json_t *value = json_object_get(call->body, "mint");
    if (value && !json_is_boolean(value)) {
        call_refuse_fault(call, (struct fault){PROBLEM_FIELD_TYPE, "mint"});
        return false;
    }
    *ret_mint = json_is_true(value);
    return true;
}

static bool take_program(struct call *call, const char **ret_program)
{
    if (!call_take_text(call, ret_program, "program", false))
        return false;
    if (!*ret_program || program_name_is_valid(*ret_program))
        return true;
    call_refuse_fault(call, (struct fault){PROBLEM_PROGRAM_NAME, "program"});
    return false;
}

void api_users_create(struct call *call)
{
    static const char *const fields[] = {"wallet", "referrer", "program", "mint", NULL};
    struct user_input *input = call_new_input(call, sizeof *input);
    if (!input || !call_take_body(call, fields, false) ||
        !call_take_wallet(call, &input->wallet, "wallet", true) ||
        !call_take_wallet(call, &input->referrer, "referrer", false) ||
        !take_program(call, &input->program) || !take_mint(call, &input->mint))
        return;
    input->has_referrer = !address_is_zero(&input->referrer);
    if (input->has_referrer && address_equal(&input->wallet, &input->referrer))
        call_refuse(call, PROBLEM_SELF_REFERRAL, NULL);
    else
        call_write(call, apply_create);
}

static enum status apply_get(struct call *call, struct store_tx *tx)
{
    struct user user;
    enum status status = user_by_wallet(tx, &user, call->input);
    if (status == STATUS_NOT_FOUND)
        return call_set_problem(call, PROBLEM_USER_UNKNOWN, NULL);
    return status == STATUS_OK ? answer_user(call, tx, 200, &user) : status;
}

void api_users_get(struct call *call)
{
    struct address *wallet = call_new_input(call, sizeof *wallet);
    if (wallet && call_path_wallet(call, wallet))
        call_read(call, apply_get);
}

static enum status apply_mint(struct call *call, struct store_tx *tx)
{
    int64_t job_id;
    bool created;
    struct out out;
    enum status status = mint_request(tx, &job_id, &created, call->input, &call->trace);
    if (status != STATUS_OK)
        return status;
    out_start(&out, call->arena);
    out_object(&out, NULL);
    out_address(&out, "wallet", call->input);
    out_id(&out, "job_id", job_id);
    out_object_end(&out);
    return call_set_answer(call, created ? 201 : 200, &out);
}

void api_mints_create(struct call *call)
{
    static const char *const fields[] = {"wallet", NULL};
    struct address *wallet = call_new_input(call, sizeof *wallet);
    if (wallet && call_take_body(call, fields, false) &&
        call_take_wallet(call, wallet, "wallet", true))
        call_write(call, apply_mint);
}

static enum status apply_affiliate(struct call *call, struct store_tx *tx)
{
    struct affiliate affiliate;
    struct out out;
    enum status status = affiliate_by_wallet(tx, &affiliate, call->input);
    if (status == STATUS_NOT_FOUND)
        return call_set_problem(call, PROBLEM_AFFILIATE_UNKNOWN, NULL);
    if (status != STATUS_OK)
        return status;
    out_start(&out, call->arena);
    render_affiliate(&out, &affiliate);
    return call_set_answer(call, 200, &out);
}

void api_affiliates_get(struct call *call)
{
    struct address *wallet = call_new_input(call, sizeof *wallet);
    if (wallet && call_path_wallet(call, wallet))
        call_read(call, apply_affiliate);
}
