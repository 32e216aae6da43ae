/** `path` and `url` as the program sees them: relative paths begin at the program's current directory. */
import path from 'node:path';
import url from 'node:url';

/** `path`; its `posix` is itself, as on the boards. */
export function createPath(currentDirectory: () => string): typeof path {
  const rooted = (real: path.PlatformPath): Record<string, unknown> => {
    const resolve = (...parts: string[]): string => real.resolve(currentDirectory(), ...parts);
    const relative = (from: string, to: string): string => real.relative(resolve(from), resolve(to));
    return { ...real, resolve, relative };
  };
  const posix = rooted(path.posix);
  const win32 = rooted(path.win32);
  for (const flavour of [posix, win32]) Object.assign(flavour, { posix, win32 });
  return posix as unknown as typeof path;
}

export function createUrl(currentDirectory: () => string): typeof url {
  const pathToFileURL = (name: string, options?: { windows?: boolean }): URL => {
    const keepsSlash = typeof name === 'string' && name.endsWith('/') ? '/' : '';
    const absolute = typeof name === 'string' ? path.resolve(currentDirectory(), name) : name;
    return url.pathToFileURL(absolute === '/' ? absolute : absolute + keepsSlash, options);
  };
  return { ...url, pathToFileURL };
}
