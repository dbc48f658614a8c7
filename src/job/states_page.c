// SPDX-License-Identifier: Apache-2.0
// Prints docs/states.md from the tables of job.h, slot.h and program.h.
#include "job/job.h"
#include "job/slot.h"

static void print_job_states(FILE *out)
{
    fputs("## Job states\n\n| State | Number | Still open | What it means |\n|---|---|---|---|\n",
          out);
#define ROW(number, name, text, open, help)                                                        \
    fprintf(out, "| `%s` | %d | %s | %s |\n", text, number, (open) ? "yes" : "no", help);
    JOB_STATE_TABLE(ROW)
#undef ROW
}

static void print_job_changes(FILE *out)
{
    fputs("\n## Allowed changes of a job\n\nEvery other change is refused.\n\n"
          "| From | To | Why |\n|---|---|---|\n",
          out);
#define ROW(from, to, why)                                                                         \
    fprintf(out, "| `%s` | `%s` | %s |\n", job_state_text(from), job_state_text(to), why);
    JOB_CHANGE_TABLE(ROW)
#undef ROW
}

#define WORD_ROW(number, name, text, help) fprintf(out, "| `%s` | %d | %s |\n", text, number, help);

static void print_job_words(FILE *out)
{
    fputs("\n## Job kinds\n\n| Kind | Number | What it does |\n|---|---|---|\n", out);
    JOB_KIND_TABLE(WORD_ROW)
    fputs(
        "\n## Outcomes of a confirmed job\n\n| Outcome | Number | What it means |\n|---|---|---|\n",
        out);
    JOB_OUTCOME_TABLE(WORD_ROW)
}

static void print_slots(FILE *out)
{
    fputs("\n## Slot states\n\nA slot is one nonce of a lane.\n\n"
          "| State | Number | What it means |\n|---|---|---|\n",
          out);
    SLOT_STATE_TABLE(WORD_ROW)
    fputs("\n## Slot kinds\n\n| Kind | Number | What it means |\n|---|---|---|\n", out);
    SLOT_KIND_TABLE(WORD_ROW)
    fputs("\n## Attempt states\n\nAn attempt is one signed transaction for a slot.\n\n"
          "| State | Number | What it means |\n|---|---|---|\n",
          out);
    ATTEMPT_STATE_TABLE(WORD_ROW)
}

void job_print_states_markdown(FILE *out)
{
    fputs("# States\n\nPrinted from the tables in `src/job/`; do not edit by hand.\n\n", out);
    print_job_states(out);
    print_job_changes(out);
    print_job_words(out);
    print_slots(out);
}
