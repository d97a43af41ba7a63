// llm.c as a peer of the bench: its own GPT-2, forward, backward and AdamW, behind the same lines as the other peers. This file is
// compiled together with llm.c's train_gpt2.c, which is included without its main and stays where it was fetched.
//
// Requests come as one line of words, not JSON, since C has no reader for it:
//   create L C H V T B weights|-   seconds of nothing; the weights are float32 in the order of Weft's parameters, or random
//   batches COUNT then COUNT·B·T ids and COUNT·B·T targets, all in this line
//   train FROM STEPS LEARNING_RATE BETA2      memory
// Answers are JSON.
#define TESTING
#include "train_gpt2.c"

static GPT2 model;
static int batch_size, length, batch_count;
static int *ids, *targets;
static FILE *answers; // the pipe; what llm.c itself prints goes nowhere

static float random_normal(unsigned long long *state) {
  float sum = 0; // twelve uniforms: near enough to normal for weights that only set the time
  for (int i = 0; i < 12; i++) {
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    sum += (float)(*state >> 40) / 16777216.0f;
  }
  return sum - 6.0f;
}

static void fill_random(float *values, size_t count, float deviation) {
  static unsigned long long state = 1;
  for (size_t i = 0; i < count; i++) values[i] = deviation * random_normal(&state);
}

static int read_all(FILE *file, float *values, size_t count) { return fread(values, sizeof(float), count, file) == count; }

// Weft keeps a layer's tensors together, llm.c one kind of all layers.
static int read_weights(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return 0;
  ParameterTensors *p = &model.params;
  size_t L = model.config.num_layers, C = model.config.channels, V = model.config.vocab_size, T = model.config.max_seq_len;
  int ok = read_all(file, p->wte, V * C) && read_all(file, p->wpe, T * C);
  for (size_t l = 0; l < L && ok; l++) {
    ok = read_all(file, p->ln1w + l * C, C) && read_all(file, p->ln1b + l * C, C)
      && read_all(file, p->qkvw + l * 3 * C * C, 3 * C * C) && read_all(file, p->qkvb + l * 3 * C, 3 * C)
      && read_all(file, p->attprojw + l * C * C, C * C) && read_all(file, p->attprojb + l * C, C)
      && read_all(file, p->ln2w + l * C, C) && read_all(file, p->ln2b + l * C, C)
      && read_all(file, p->fcw + l * 4 * C * C, 4 * C * C) && read_all(file, p->fcb + l * 4 * C, 4 * C)
      && read_all(file, p->fcprojw + l * 4 * C * C, 4 * C * C) && read_all(file, p->fcprojb + l * C, C);
  }
  ok = ok && read_all(file, p->lnfw, C) && read_all(file, p->lnfb, C);
  fclose(file);
  return ok;
}

static void random_weights(void) {
  float *values = model.params_memory;
  for (int i = 0; i < NUM_PARAMETER_TENSORS; i++) {
    size_t count = model.param_sizes[i];
    int is_norm_weight = i == 2 || i == 8 || i == 14; // ln1w, ln2w, lnfw
    if (is_norm_weight) for (size_t j = 0; j < count; j++) values[j] = 1.0f;
    else fill_random(values, count, 0.02f);
    values += count;
  }
}

static int create(const char *line) {
  int layers, channels, heads, vocabulary;
  char path[4096];
  if (sscanf(line, "create %d %d %d %d %d %d %4095[^\n]", &layers, &channels, &heads, &vocabulary, &length, &batch_size, path) != 7) return 0;
  model = (GPT2){0};
  model.config = (GPT2Config){.max_seq_len = length, .vocab_size = vocabulary, .padded_vocab_size = (vocabulary + 127) / 128 * 128,
                              .num_layers = layers, .num_heads = heads, .channels = channels};
  fill_in_parameter_sizes(model.param_sizes, model.config);
  for (int i = 0; i < NUM_PARAMETER_TENSORS; i++) model.num_parameters += model.param_sizes[i];
  model.params_memory = malloc_and_point_parameters(&model.params, model.param_sizes);
  memset(model.params_memory, 0, model.num_parameters * sizeof(float));
  if (strcmp(path, "-") == 0) random_weights();
  else if (!read_weights(path)) return 0;
  model.mean_loss = -1.0f;
  return 1;
}

static int read_batches(char *line) {
  char *at = line + strlen("batches ");
  batch_count = (int)strtol(at, &at, 10);
  if (batch_count < 1 || batch_count > 1000) return 0;
  size_t count = (size_t)batch_count * batch_size * length;
  ids = realloc(ids, count * sizeof(int));
  targets = realloc(targets, count * sizeof(int));
  for (size_t i = 0; i < 2 * count; i++) {
    char *end;
    int id = (int)strtol(at, &end, 10);
    if (end == at || id < 0 || id >= model.config.vocab_size) return 0;
    at = end;
    if (i < count) ids[i] = id;
    else targets[i - count] = id;
  }
  return 1;
}

static int train(const char *line) {
  int from, steps;
  float learning_rate, beta2;
  if (ids == NULL || sscanf(line, "train %d %d %f %f", &from, &steps, &learning_rate, &beta2) != 4) return 0;
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  fprintf(answers, "{\"losses\": [");
  for (int step = from; step < from + steps; step++) {
    size_t offset = (size_t)(step % batch_count) * batch_size * length;
    gpt2_forward(&model, ids + offset, targets + offset, batch_size, length);
    gpt2_zero_grad(&model);
    gpt2_backward(&model);
    gpt2_update(&model, learning_rate, 0.9f, beta2, 1e-8f, 0.0f, step + 1);
    fprintf(answers, "%s%.7g", step == from ? "" : ", ", model.mean_loss);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  fprintf(answers, "], \"seconds\": %.9f}\n", (end.tv_sec - start.tv_sec) + (end.tv_nsec - start.tv_nsec) / 1e9);
  return 1;
}

static void answer_memory(void) {
  long kilobytes = 0;
  char line[256];
  FILE *status = fopen("/proc/self/status", "r");
  while (status != NULL && fgets(line, sizeof line, status) != NULL) if (sscanf(line, "VmHWM: %ld", &kilobytes) == 1) break;
  if (status != NULL) fclose(status);
  fprintf(answers, "{\"bytes\": %ld}\n", kilobytes * 1024);
}

static void answer(char *line) {
  int ok = 1;
  if (strncmp(line, "hello", 5) == 0) fprintf(answers, "{\"name\": \"llm.c\"}\n");
  else if (strncmp(line, "memory", 6) == 0) answer_memory();
  else if (strncmp(line, "train ", 6) == 0) ok = train(line);
  else if (strncmp(line, "create ", 7) == 0 && (ok = create(line))) fprintf(answers, "{\"parameters\": %zu}\n", model.num_parameters);
  else if (strncmp(line, "batches ", 8) == 0 && (ok = read_batches(line))) fprintf(answers, "{}\n");
  else ok = 0;
  if (!ok) fprintf(answers, "{\"error\": \"llm.c peer: cannot do: %.40s\"}\n", strtok(line, "\n\"\\"));
  fflush(answers);
}

int main(void) {
  answers = fdopen(dup(1), "w");
  if (answers == NULL || freopen("/dev/null", "w", stdout) == NULL) return 1;
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, stdin) > 0) answer(line);
  return 0;
}
