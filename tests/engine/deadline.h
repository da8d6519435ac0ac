/* SPDX-License-Identifier: Apache-2.0 */
/* How soon a cancelled task returns. */
#ifndef DEADLINE_H
#define DEADLINE_H

/* The promise; the sanitizers' own work (certificates are read and freed meanwhile) comes on top.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DEADLINE_MS 500
#else
#define DEADLINE_MS 100
#endif

#endif
