/** A program's request: one JSON object a line (`ConsoleRequest`), checked before anything of it is used. */
import type { ConsoleRequest } from './console-schema.ts';

const idCharactersMax = 64;

/** The request, or the rule that the line breaks. */
export function parseRequest(line: string): ConsoleRequest | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return `not a JSON object: ${(error as Error).message.slice(0, 80)}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be a JSON object';
  const { command, reason, yes, id } = value as Record<string, unknown>;
  if (typeof command !== 'string') return 'command must be text, such as "status"';
  if (/[\r\n]/.test(command)) return 'command must be one line';
  if (reason !== undefined && typeof reason !== 'string') return 'reason must be text';
  if (yes !== undefined && typeof yes !== 'boolean') return 'yes must be true or false';
  const isId = typeof id === 'number' || (typeof id === 'string' && id.length <= idCharactersMax);
  if (id !== undefined && !isId)
    return `id must be a number, or text of at most ${idCharactersMax} characters`;
  return {
    command,
    ...(reason === undefined ? {} : { reason }),
    ...(yes === undefined ? {} : { yes }),
    ...(id === undefined ? {} : { id: id as number | string }),
  };
}
