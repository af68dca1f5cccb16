#pragma once
#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  long onednn, others;
} hc_count;

void hc_start(void);
hc_count hc_stop(void);
void hc_take_one(void);

#ifdef __cplusplus
}
#endif
