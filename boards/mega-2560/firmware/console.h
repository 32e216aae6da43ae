/*
 * The USB console: `?` prints one line of key=value, `safe <pin> <low|high|released|keep>` and Enter declares a safe state. Everything
 * else is answered with what is understood. README.md lists the keys.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

void console_poll(void);

#endif
