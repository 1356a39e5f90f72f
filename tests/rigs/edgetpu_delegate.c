/* A stand-in for libedgetpu: TFLite's external delegate interface, with faults on demand.
 *
 * The file that FAKE_EDGETPU names is the device: without it there is none. Its first word says how
 * the device behaves:
 *
 *   ok            takes the compiled operator, and answers
 *   idle          is made, but takes no operator
 *   null, text    is not made, without and with an error text
 *   hang, abort, segv                        do so while it is made
 *   invoke-error, invoke-hang, invoke-abort  do so when the network is run
 *
 * FAKE_EDGETPU_ANSWERS names a file of records: the sum of the input's bytes (64 bits, of this
 * machine), and the bytes of all outputs. An input that is in none gets the first record.
 *
 * The structures are the beginnings of those in TFLite's core/c/common.h and c_api_types.h, as far
 * as they are used here; they have been the same from tflite-runtime 2.14 to ai-edge-litert 2.3.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { int size; int data[]; } Ints;
typedef struct {
    int type; void *data; Ints *dims; float scale; int32_t zero_point; int allocation;
    size_t bytes; const void *source; const char *name; void *delegate; int buffer_handle;
    char stale, variable; int quantization; void *parameters; void *sparsity; Ints *signature;
} Tensor;
typedef struct { Ints *inputs, *outputs; } Node;  /* more follows; only pointers are used */
typedef struct Context Context;
typedef struct {
    void *(*init)(Context *, const char *, size_t);
    void (*free)(Context *, void *);
    int (*prepare)(Context *, Node *);
    int (*invoke)(Context *, Node *);
    const char *(*profiling)(const Context *, const Node *);
    int32_t builtin_code;
    const char *custom_name;
    int version;
    void *external, *async_kernel;
    uint64_t inplace;
} Registration;
struct Context {
    size_t tensors_size;
    int (*plan)(Context *, Ints **);
    Tensor *tensors;
    void *impl;
    int (*resize)(Context *, Tensor *, Ints *);
    void (*report)(Context *, const char *, ...);
    int (*add)(Context *, int, int *);
    int (*node)(Context *, int, Node **, Registration **);
    int (*replace)(Context *, Registration, const Ints *, void *);
};
typedef struct {
    void *data; int (*prepare)(Context *, void *); void *copy_from, *copy_to, *free_handle;
    int64_t flags; void *opaque;
} Delegate;

enum { OK = 0, ERROR = 1, ANY_SHAPES = 1 };

static int behaves(const char *wanted) {
    char word[32] = "null";
    const char *path = getenv("FAKE_EDGETPU");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (file) {
        if (fscanf(file, "%31s", word) != 1) strcpy(word, "null");
        fclose(file);
    }
    return !strcmp(word, wanted);
}

static void fail_as(const char *hang, const char *abort_, const char *segv) {
    if (behaves(hang)) for (;;) sleep(1000);
    if (behaves(abort_)) abort();
    if (behaves(segv)) raise(SIGSEGV);
}

static int answer(Context *context, Node *node) {
    Tensor *input = &context->tensors[node->inputs->data[0]];
    uint64_t sum = 0, key;
    for (size_t i = 0; i < input->bytes; i++) sum += ((uint8_t *)input->data)[i];
    size_t size = 0;
    for (int i = 0; i < node->outputs->size; i++)
        size += context->tensors[node->outputs->data[i]].bytes;
    const char *path = getenv("FAKE_EDGETPU_ANSWERS");
    FILE *file = path ? fopen(path, "rb") : NULL;
    char *found = malloc(size), *record = malloc(size);
    int records = 0;
    while (file && fread(&key, sizeof key, 1, file) == 1 && fread(record, size, 1, file) == 1)
        if (!records++ || key == sum) memcpy(found, record, size);
    if (file) fclose(file);
    size_t at = 0;
    for (int i = 0; records && i < node->outputs->size; i++) {
        Tensor *output = &context->tensors[node->outputs->data[i]];
        memcpy(output->data, found + at, output->bytes);
        at += output->bytes;
    }
    free(found);
    free(record);
    return records ? OK : ERROR;
}

static int invoke(Context *context, Node *node) {
    fail_as("invoke-hang", "invoke-abort", "invoke-segv");
    if (behaves("null") || behaves("invoke-error")) {
        context->report(context, "the fake device is gone");
        return ERROR;
    }
    return answer(context, node);
}

static int take(Context *context, void *delegate) {
    Ints *plan, *mine;
    if (behaves("idle")) return OK;
    if (context->plan(context, &plan) != OK) return ERROR;
    mine = malloc(sizeof(Ints) + plan->size * sizeof(int));
    mine->size = 0;
    for (int i = 0; i < plan->size; i++) {
        Node *node;
        Registration *op;
        if (context->node(context, plan->data[i], &node, &op) != OK) return ERROR;
        if (op->custom_name && !strcmp(op->custom_name, "edgetpu-custom-op"))
            mine->data[mine->size++] = plan->data[i];
    }
    Registration kernel = {.invoke = invoke, .custom_name = "fake edgetpu", .version = 1};
    int done = mine->size ? context->replace(context, kernel, mine, delegate) : OK;
    free(mine);
    return done;
}

void *tflite_plugin_create_delegate(char **keys, char **values, size_t count,
                                    void (*report)(const char *)) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(keys[i], "device") || !strcmp(values[i], "usb:9")) {
            report("the fake has no such device");
            return NULL;
        }
    fail_as("hang", "abort", "segv");
    if (behaves("text")) report("the fake has an error");
    if (behaves("text") || behaves("null")) return NULL;
    Delegate *made = calloc(1, sizeof(Delegate));
    made->prepare = take;
    made->flags = ANY_SHAPES;
    return made;
}

void tflite_plugin_destroy_delegate(void *delegate) { free(delegate); }

const char *edgetpu_version(void) { return "BuildLabel(a fake), RuntimeVersion(14)"; }
