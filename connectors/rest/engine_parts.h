/* engine_parts: what the files of the engine share. */
#ifndef REST_ENGINE_PARTS_H
#define REST_ENGINE_PARTS_H

#include "../sdk/profile.h"
#include "engine.h"
#include "pages.h"

struct engine {
    struct profile *profile;
    json_t *declared;    /* the array of declared settings */
    json_t *steps;       /* the resolve steps, the profile's defaults merged in */
    json_t *collections; /* name -> collection, the profile's defaults merged in */
    json_t *settings;    /* effective ones */
    json_t *secrets;
    struct client *client;
};

/* Reads and checks the engine's part of the profile into `declared`, `steps` and `collections` ("bad_profile"). */
int engine_load(struct engine *engine, struct dsar_error *error) __attribute__((warn_unused_result));

#endif
