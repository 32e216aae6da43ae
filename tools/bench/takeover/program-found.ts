/** Whether a program of the system is there to be measured. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const systemFolders = ['/usr/sbin', '/sbin'];

/** Null, or the sentence for whoever misses it. */
export function programFound(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...systemFolders];
  for (const folder of folders) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return null;
    } catch {
      // The next folder may have it.
    }
  }
  return `${name} is not installed (tools/install-debian-packages.sh bench)`;
}
