/* A stand-in for libvmaf: its interface, the order in which it wants to be called, and a score that a test can foresee:
 * 100 less the mean difference of luma, and 1 less where no picture was read before. What a real one would take amiss ends
 * the process. Linked with -DOLD it lacks what versions before 2.1 lack. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { int log_level; unsigned n_threads, n_subsample; uint64_t cpumask; } Configuration;
typedef struct {
  int pix_fmt;
  unsigned bpc, w[3], h[3];
  ptrdiff_t stride[3];
  void *data[3];
  void *ref, *priv;
} Picture;
typedef struct { const char *name; uint64_t flags; } ModelConfig;
typedef struct { int has_features, read, has_ended; double score[2]; } Context;
typedef struct { char version[64]; } Model;

static int pictures, contexts, models;

static void wrong(const char *what) {
  fprintf(stderr, "stand-in of libvmaf: %s\n", what);
  abort();
}

__attribute__((destructor)) static void leaks(void) {
  if (pictures || contexts) wrong("something was not given back");
}

const char *vmaf_version(void) { return "0-standin"; }

int vmaf_init(Context **context, Configuration configuration) {
  if (configuration.n_threads) wrong("threads were asked for");
  *context = calloc(1, sizeof(Context));
  contexts++;
  return 0;
}

int vmaf_close(Context *context) {
  contexts--;
  free(context);
  return 0;
}

#ifndef OLD
int vmaf_model_load(Model **model, ModelConfig *config, const char *version) {
  if (config->flags) wrong("unusual flags");
  if (strcmp(version, "vmaf_v0.6.1") && strcmp(version, "vmaf_4k_v0.6.1")) return -22;
  *model = calloc(1, sizeof(Model));
  models++;
  return 0;
}
#endif

void vmaf_model_destroy(Model *model) {
  models--;
  free(model);
}

int vmaf_use_features_from_model(Context *context, Model *model) {
  if (!model) wrong("no model");
  context->has_features = 1;
  return 0;
}

int vmaf_picture_alloc(Picture *picture, int format, unsigned bpc, unsigned w, unsigned h) {
  memset(picture, 0, sizeof *picture);
  picture->pix_fmt = format;
  picture->bpc = bpc;
  for (int plane = 0; plane < 3; plane++) {
    int across = plane && format != 3, down = plane && format == 1;
    picture->w[plane] = (w + across) >> across;
    picture->h[plane] = (h + down) >> down;
    picture->stride[plane] = (picture->w[plane] * (bpc > 8 ? 2 : 1) + 63) / 32 * 32;
    picture->data[plane] = calloc(picture->h[plane], picture->stride[plane]);
  }
  pictures++;
  return 0;
}

int vmaf_picture_unref(Picture *picture) {
  for (int plane = 0; plane < 3; plane++) free(picture->data[plane]);
  pictures--;
  return 0;
}

static double sample(const Picture *picture, unsigned x, unsigned y) {
  const uint8_t *row = (const uint8_t *)picture->data[0] + y * picture->stride[0];
  return picture->bpc > 8 ? ((const uint16_t *)row)[x] / (double)(1 << (picture->bpc - 8)) : row[x];
}

int vmaf_read_pictures(Context *context, Picture *meant, Picture *made, unsigned number) {
  if (!context->has_features) wrong("pictures before features");
  if (!meant && !made) {
    context->has_ended = 1;
    return 0;
  }
  if ((int)number != context->read || number > 1) wrong("a picture out of its turn");
  if (meant->pix_fmt != made->pix_fmt || meant->w[0] != made->w[0]) return -22;
  double sum = 0;
  for (unsigned y = 0; y < meant->h[0]; y++)
    for (unsigned x = 0; x < meant->w[0]; x++) {
      double apart = sample(meant, x, y) - sample(made, x, y);
      sum += apart < 0 ? -apart : apart;
    }
  context->score[number] = 100 - sum / meant->w[0] / meant->h[0] - (number ? 0 : 1);
  context->read++;
  vmaf_picture_unref(meant);
  vmaf_picture_unref(made);
  return 0;
}

int vmaf_score_at_index(Context *context, Model *model, double *score, unsigned number) {
  if (!context->has_ended || !model) wrong("a score before the end");
  if ((int)number >= context->read) return -22;
  *score = context->score[number];
  return 0;
}
