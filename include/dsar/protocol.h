/* protocol: the numbers and words of the connector protocol, version 1. PROTOCOL.md beside this file is the contract. */
#ifndef DSAR_PROTOCOL_H
#define DSAR_PROTOCOL_H

#define DSAR_PROTOCOL_VERSION 1

/* The longest line, its newline included. */
#define DSAR_LINE_MAX 131072

/* The most bytes that one `record` or `file` message may announce. */
#define DSAR_PAYLOAD_MAX 262144

/* The longest name of a connector, collection, setting, identity kind or reason code: [a-z][a-z0-9_.-]* */
#define DSAR_NAME_MAX 64

/* The longest identity value, in bytes. */
#define DSAR_IDENTITY_MAX 512

/* The longest title, category or version in a hello, in bytes. */
#define DSAR_TITLE_MAX 200

/* The longest id, name or media type of a file, in bytes. */
#define DSAR_FILE_TEXT_MAX 1024

/* A connector that is at work says something at least this often. */
#define DSAR_KEEP_ALIVE_MS 30000

#endif
