/* shim: the file by which a test tells shim.c which calls are to fail. */
#ifndef DSAR_FAULTS_SHIM_H
#define DSAR_FAULTS_SHIM_H

#include <stdatomic.h>
#include <stdint.h>

enum shim_kind {
    SHIM_DISK = 1,
    SHIM_MEMORY, /* of the program, jansson, yajl and libjose */
    SHIM_CRYPTO, /* memory of OpenSSL, which asks for it fifty times as often */
    SHIM_DESCRIPTOR,
    SHIM_PROCESS, /* threads too */
    SHIM_KINDS = SHIM_PROCESS
};

/* 64-bit numbers in the machine's order. Mapped by the process and by the test, which may change it at any time. */
struct shim_control {
    _Atomic uint64_t kind;  /* which calls are to fail; 0: none, they are only counted */
    _Atomic uint64_t at;    /* the first that fails, from 1 on */
    _Atomic uint64_t times; /* how many fail, one after the other */
    _Atomic uint64_t error; /* errno of those */
    _Atomic uint64_t n_failed;
    _Atomic uint64_t counts[SHIM_KINDS]; /* how many calls of each kind there were, from kind 1 on */
};

#endif
