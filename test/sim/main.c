// SPDX-License-Identifier: Apache-2.0
// The command: runs seeds on all cores, tells how many of which faults there were, and for a seed
// that breaks a promise how it can be seen again.
#include "world.h"

#include "base/hex.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SEED_CPU_S_MAX  30
#define WORKERS_MAX     64
#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define PROGRESS_S      1
#define PROGRESS_LOG_S  60
#define DIRECTORY_SIZE  64

// Of all workers, in shared memory.
struct shared {
    _Atomic uint64_t failed_seed; // the lowest; UINT64_MAX: none
    _Atomic uint64_t next_seed;
    _Atomic uint64_t current_seed[WORKERS_MAX];
    int64_t statistics[WORKERS_MAX][STATISTICS];
    uint64_t digests[WORKERS_MAX];
};

struct options {
    uint64_t first, seeds;
    bool one; // --seed: this one, with its story
    long workers;
    const char *json;
    bool quiet;
};

static void must(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "sim: %s\n", what);
    exit(2);
}

// ---------------------------------------------------------------- a worker's world

struct first_work {
    struct store_work work;
};

static enum status insert_programs(struct store_tx *tx, struct store_work **works, size_t count)
{
    static const struct {
        const char *name;
        enum program_kind kind;
        enum program_trigger trigger;
        int32_t hold_seconds;
    } rows[] = {{"usdc", PROGRAM_USDC, PROGRAM_EVERY_PAYMENT, 0},
                {"hybrid", PROGRAM_HYBRID, PROGRAM_EVERY_PAYMENT, 0},
                {"patient", PROGRAM_USDC, PROGRAM_EVERY_PAYMENT, 60},
                {"first", PROGRAM_USDC, PROGRAM_FIRST_PAYMENT, 0}};
    (void)works;
    (void)count;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && status == STATUS_OK; i++) {
        struct program program = {.kind = rows[i].kind,
                                  .trigger = rows[i].trigger,
                                  .commission_bps = 1000,
                                  .hold_seconds = rows[i].hold_seconds,
                                  .active = true};
        int64_t id;
        bool created;
        snprintf(program.name, sizeof program.name, "%s", rows[i].name);
        if (program.kind == PROGRAM_HYBRID && !sge_parse(&program.sge_rate, "2"))
            return STATUS_INVALID;
        status = program_insert(tx, &id, &created, &program);
    }
    return status;
}

// The migrated store with its programs, made once and copied for each seed.
static void make_image(struct sim *sim)
{
    static const struct store_work_kind kind = {"programs", insert_programs};
    struct store_options options = {.path = sim->path, .clock = clock_system(), .in_caller = true};
    struct store *store;
    int applied;
    must(store_migrate(&applied, &options) == STATUS_OK, "the store cannot be made");
    must(store_open(&store, &options) == STATUS_OK, "the store cannot be opened");
    struct first_work work = {.work = {.kind = &kind}};
    must(store_write(store, &work.work) == STATUS_OK, "the programs cannot be made");
    store_close(store);
    sim->image = sim_disk_image(sim->disk);
}

static void make_keys(struct sim *sim)
{
    for (size_t i = 0; i < SIM_LANES_MAX; i++) {
        uint8_t secret[32];
        memset(secret, (int)i + 1, sizeof secret);
        must(eth_key_from_secret(&sim->keys[i], secret), "no key");
        sim->lanes[i] = eth_key_address(&sim->keys[i]);
    }
}

static struct sim *new_sim(const char *directory)
{
    static char path[DIRECTORY_SIZE + 16], prefix[DIRECTORY_SIZE + 2];
    struct sim *sim = calloc(1, sizeof *sim);
    must(sim != NULL, "no memory");
    snprintf(prefix, sizeof prefix, "%s/", directory);
    snprintf(path, sizeof path, "%s/store.db", directory);
    sim->path = path;
    sim->disk = sim_disk_new(prefix);
    sim->arena = arena_new(ARENA_BYTES_MAX);
    must(sim->arena != NULL, "no memory");
    make_image(sim);
    make_keys(sim);
    return sim;
}

static void silence(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (fd >= 0)
        (void)dup2(fd, STDERR_FILENO);
}

static void note_failure(struct shared *shared, uint64_t seed)
{
    uint64_t known = atomic_load(&shared->failed_seed);
    while (seed < known && !atomic_compare_exchange_weak(&shared->failed_seed, &known, seed))
        continue;
}

// A seed that does not come to its end, in the relayer or here, ends its worker.
static void limit_cpu(void)
{
    struct itimerval limit = {.it_value = {.tv_sec = SEED_CPU_S_MAX}};
    (void)setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

static void work(struct shared *shared, size_t worker, const struct options *options,
                 const char *directory)
{
    silence();
    struct sim *sim = new_sim(directory);
    uint64_t digest = 0;
    for (;;) {
        uint64_t seed = atomic_fetch_add(&shared->next_seed, 1);
        if (seed >= options->first + options->seeds || seed > atomic_load(&shared->failed_seed))
            break;
        atomic_store(&shared->current_seed[worker], seed);
        limit_cpu();
        if (!world_run(sim, seed))
            note_failure(shared, seed);
        digest ^= rng_mix(sim->digest);
        memcpy(shared->statistics[worker], sim->statistics, sizeof sim->statistics);
        shared->digests[worker] = digest;
    }
    _exit(0);
}

// ---------------------------------------------------------------- telling

static int64_t total(const struct shared *shared, enum statistic statistic)
{
    int64_t sum = 0;
    for (size_t i = 0; i < WORKERS_MAX; i++)
        sum += shared->statistics[i][statistic];
    return sum;
}

static int64_t cpu_ms(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static void tell_progress(const struct shared *shared, const struct options *options,
                          int64_t seconds)
{
    bool terminal = isatty(STDERR_FILENO) != 0;
    if (options->quiet || (!terminal && seconds % PROGRESS_LOG_S != 0))
        return;
    fprintf(stderr, "%ssim: %" PRId64 " of %" PRIu64 " seeds, %" PRId64 " s%s",
            terminal ? "\r" : "", total(shared, STAT_SEEDS), options->seeds, seconds,
            terminal ? "" : "\n");
}

static uint64_t digest_of(const struct shared *shared)
{
    uint64_t digest = 0;
    for (size_t i = 0; i < WORKERS_MAX; i++)
        digest ^= shared->digests[i];
    return digest;
}

static void tell_summary(const struct shared *shared, int64_t wall_s)
{
    int64_t cpu = cpu_ms(), simulated_s = total(shared, STAT_SIMULATED_MS) / 1000;
    printf("sim: %" PRId64 " seeds, %" PRId64 " simulated seconds in %" PRId64 ".%03" PRId64
           " CPU seconds (%" PRId64 " per CPU second), %" PRId64 " s\n",
           total(shared, STAT_SEEDS), simulated_s, cpu / 1000, cpu % 1000,
           simulated_s * 1000 / (cpu > 0 ? cpu : 1), wall_s);
    for (size_t i = STAT_STEPS; i < STATISTICS; i++)
        printf("  %-26s %12" PRId64 "\n", statistic_text((enum statistic)i),
               total(shared, (enum statistic)i));
    printf("  %-26s %12.12" PRIx64 "\n", "digest", digest_of(shared));
}

static void write_json(const struct shared *shared, const struct options *options, int64_t wall_s)
{
    FILE *out = options->json != NULL ? fopen(options->json, "we") : NULL;
    if (out == NULL)
        return;
    fprintf(out,
            "{\n  \"first_seed\": %" PRIu64 ",\n  \"wall_s\": %" PRId64 ",\n  \"cpu_ms\": %" PRId64
            ",\n",
            options->first, wall_s, cpu_ms());
    for (size_t i = 0; i < STATISTICS; i++)
        fprintf(out, "  \"%s\": %" PRId64 ",\n", statistic_text((enum statistic)i),
                total(shared, (enum statistic)i));
    uint64_t failed = atomic_load(&shared->failed_seed);
    if (failed != UINT64_MAX)
        fprintf(out, "  \"failed_seed\": %" PRIu64 ",\n", failed);
    fprintf(out, "  \"digest\": \"%016" PRIx64 "\"\n}\n", digest_of(shared));
    fclose(out);
}

// ---------------------------------------------------------------- one seed, with its story

static void tell_failure(const struct sim *sim, uint64_t seed)
{
    printf("sim: seed %" PRIu64 " breaks promise %s\n     %s\n     again, with its story: "
           "make sim SEED=%" PRIu64 "\n",
           seed, promise_text(sim->broken), sim->failure, seed);
}

static void tell_trace(const struct sim *sim)
{
    size_t lines = sim->trace_count < TRACE_LINES_MAX ? sim->trace_count : TRACE_LINES_MAX;
    for (size_t i = sim->trace_count - lines; i < sim->trace_count; i++)
        printf("%s\n", sim->trace[i % TRACE_LINES_MAX]);
}

// In a child of its own, as every seed runs.
static int run_one(uint64_t seed, bool loud, const char *directory)
{
    fflush(NULL);
    pid_t pid = fork();
    must(pid >= 0, "fork failed");
    if (pid == 0) {
        if (!loud)
            silence();
        struct sim *sim = new_sim(directory);
        sim->verbose = true;
        sim->loud = loud;
        limit_cpu();
        bool fine = world_run(sim, seed);
        if (!fine && !loud)
            tell_trace(sim);
        if (!fine)
            tell_failure(sim, seed);
        else
            printf("sim: seed %" PRIu64 " keeps every promise; digest %016" PRIx64 "\n", seed,
                   sim->digest);
        fflush(NULL);
        _exit(fine ? 0 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

// ---------------------------------------------------------------- all seeds

// A worker that ended in the middle of a seed: an abort, a crash, or no end.
static void note_death(struct shared *shared, const pid_t *workers, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (workers[i] == pid)
            note_failure(shared, atomic_load(&shared->current_seed[i]));
}

static bool wait_for(const pid_t *workers, size_t count, struct shared *shared,
                     const struct options *options, int64_t *ret_wall_s)
{
    time_t start = time(NULL), told = start;
    bool fine = true;
    for (size_t left = count; left > 0;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid > 0) {
            left--;
            if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                continue;
            fine = false;
            note_death(shared, workers, count, pid);
            continue;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        if (time(NULL) - told >= PROGRESS_S) {
            told = time(NULL);
            tell_progress(shared, options, told - start);
        }
    }
    if (!options->quiet && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    *ret_wall_s = time(NULL) - start;
    return fine;
}

static int run_all(const struct options *options, const char *directory)
{
    pid_t workers[WORKERS_MAX];
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(shared != MAP_FAILED, "no memory");
    atomic_store(&shared->failed_seed, UINT64_MAX);
    atomic_store(&shared->next_seed, options->first);
    fflush(NULL);
    for (size_t i = 0; i < (size_t)options->workers; i++) {
        workers[i] = fork();
        must(workers[i] >= 0, "fork failed");
        if (workers[i] == 0)
            work(shared, i, options, directory);
    }
    int64_t wall_s;
    bool fine = wait_for(workers, (size_t)options->workers, shared, options, &wall_s);
    if (!options->quiet)
        tell_summary(shared, wall_s);
    write_json(shared, options, wall_s);
    uint64_t failed = atomic_load(&shared->failed_seed);
    if (!fine)
        printf("sim: a worker ended in the middle of seed %" PRIu64 "\n", failed);
    if (failed != UINT64_MAX)
        return run_one(failed, false, directory) == 0 ? 2 : 1;
    return 0;
}

// ---------------------------------------------------------------- the command

static uint64_t number(const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    must(errno == 0 && *end == '\0' && end != text, "a number is expected");
    return value;
}

static struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {{"seeds", required_argument, NULL, 'n'},
                                          {"first", required_argument, NULL, 'f'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"jobs", required_argument, NULL, 'j'},
                                          {"json", required_argument, NULL, 'o'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.first = 1, .seeds = 1000, .workers = sysconf(_SC_NPROCESSORS_ONLN)};
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        must(c != '?', "usage: sim [--seeds N] [--first K] [--seed K] [--jobs N] [--json FILE]");
        if (c == 'n')
            options.seeds = number(optarg);
        else if (c == 'f')
            options.first = number(optarg);
        else if (c == 'j')
            options.workers = (long)number(optarg);
        else if (c == 'o')
            options.json = optarg;
        else if (c == 'q')
            options.quiet = true;
        if (c == 's') {
            options.first = number(optarg);
            options.one = true;
        }
    }
    if (options.workers < 1 || options.workers > WORKERS_MAX)
        options.workers = 1;
    return options;
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    char directory[DIRECTORY_SIZE] = "/tmp/sluice-sim-XXXXXX", path[DIRECTORY_SIZE + 16];
    must(mkdtemp(directory) != NULL, "no directory");
    setvbuf(stdout, NULL, _IOLBF, 0);
    log_setup(options.one ? LOG_INFO : LOG_ERROR, LOG_FORMAT_TEXT);
    int result =
        options.one ? run_one(options.first, true, directory) : run_all(&options, directory);
    snprintf(path, sizeof path, "%s/store.db", directory);
    (void)unlink(path);
    (void)rmdir(directory);
    return result;
}
