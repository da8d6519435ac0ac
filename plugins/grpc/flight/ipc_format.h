/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of Arrow's Message.fbs and Schema.fbs, and the names that Flame gives its columns;
 * shared by ipc.c and write.c. A field's slot is its place in the .fbs, a union takes two. */
#ifndef FL_FLIGHT_IPC_FORMAT_H
#define FL_FLIGHT_IPC_FORMAT_H

#define FL_FLIGHT_NAME_VERSION "version"
#define FL_FLIGHT_NAME_KIND "kind"
#define FL_FLIGHT_NAME_DATA "data"
#define FL_FLIGHT_KIND_BASE "base"
#define FL_FLIGHT_KIND_PATCH "patch"
#define FL_FLIGHT_META_FORMAT "flame.cache.format"
#define FL_FLIGHT_META_VERSION "flame.cache.version"
#define FL_FLIGHT_FORMAT_TABLE "arrow-table-v1"

enum { METADATA_V4 = 3, METADATA_V5 = 4 };
enum { MESSAGE_VERSION, MESSAGE_TYPE, MESSAGE_HEADER, MESSAGE_BODY_LENGTH };
enum { HEADER_SCHEMA = 1, HEADER_DICTIONARY = 2, HEADER_BATCH = 3 };
enum { SCHEMA_ENDIANNESS, SCHEMA_FIELDS, SCHEMA_METADATA };
enum { PAIR_KEY, PAIR_VALUE };
enum { FIELD_NAME, FIELD_NULLABLE, FIELD_TYPE, FIELD_TYPE_TABLE, FIELD_DICTIONARY, FIELD_CHILDREN };
enum { INT_WIDTH, INT_SIGNED };
enum { TYPE_INT = 2, TYPE_BINARY = 4, TYPE_UTF8 = 5, TYPE_LARGE_BINARY = 19, TYPE_LARGE_UTF8 = 20 };
enum { BATCH_LENGTH, BATCH_NODES, BATCH_BUFFERS, BATCH_COMPRESSION };
enum { COMPRESSION_CODEC, COMPRESSION_METHOD };

#endif
