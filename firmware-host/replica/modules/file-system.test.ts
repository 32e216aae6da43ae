import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RefusedError } from '../refusal.ts';
import { FakeTurnContext } from '../turn-context.fake.ts';
import { baseBytesMax, type FileAlarm, recordedReadBytesMax } from './file-history.ts';
import { createFileSystem, type FileSystem } from './file-system.ts';

type Told = unknown[];
type Program = (world: FileSystem & { tell: (value: unknown) => void }) => unknown;

let scratch: string;
/** The folder that the program knows: its real counterpart, the lower layer, is on this machine. */
let home: string;

beforeEach(() => {
  scratch = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), 'files-')));
  home = path.join(scratch, 'home');
  fs.mkdirSync(home);
});
afterEach(() => fs.rmSync(scratch, { recursive: true }));

interface Run {
  told: Told;
  context: FakeTurnContext;
  world: FileSystem;
  alarms: FileAlarm[];
  root: string;
}

async function runOn(root: string, program: Program, replayOf?: FakeTurnContext): Promise<Run> {
  const context = new FakeTurnContext({ filesRoot: root, ...(replayOf ? { replayOf } : {}) });
  const alarms: FileAlarm[] = [];
  const world = createFileSystem(context, {
    currentDirectory: () => home,
    onAlarm: (alarm) => alarms.push(alarm),
  });
  const told: Told = [];
  const tell = (value: unknown): void => {
    told.push(value instanceof Error ? plain(value) : structuredClone(value));
  };
  let failed: unknown;
  const done = Promise.resolve()
    .then(() => program({ ...world, tell }))
    .catch((error) => {
      failed = error;
    });
  let over = false;
  done.then(() => {
    over = true;
  });
  while (!over) await context.drain();
  if (failed) throw failed;
  await context.drain();
  return { told, context, world, alarms, root };
}

function plain(error: Error): object {
  const { code, errno, syscall, path: where } = error as NodeJS.ErrnoException;
  return { message: error.message, code, errno, syscall, path: where };
}

/** Files under a root by name: content, link target or null for a folder. */
function tree(root: string): Record<string, string | null> {
  const found: Record<string, string | null> = {};
  const base = path.join(root, home);
  if (!fs.existsSync(base)) return found;
  for (const entry of fs.readdirSync(base, { recursive: true, withFileTypes: true })) {
    const full = path.join(entry.parentPath, entry.name);
    const name = path.relative(base, full);
    found[name] = entry.isDirectory()
      ? null
      : entry.isSymbolicLink()
        ? `-> ${fs.readlinkSync(full).replace(root, '')}`
        : fs.readFileSync(full, 'latin1');
  }
  return found;
}

/** Runs a program as primary, then as backup with other files; both must see and leave the same. */
async function pair(
  program: Program,
  staleOnBackup: Record<string, string> = {},
  between = () => {},
): Promise<{ primary: Run; backup: Run }> {
  const a = path.join(scratch, 'a');
  const b = path.join(scratch, 'b');
  const primary = await runOn(a, program);
  between();
  for (const [name, text] of Object.entries(staleOnBackup)) {
    fs.mkdirSync(path.dirname(path.join(b, home, name)), { recursive: true });
    fs.writeFileSync(path.join(b, home, name), text);
  }
  const backup = await runOn(b, program, primary.context);
  expect(backup.told).toEqual(primary.told);
  expect(backup.context.outputs).toEqual(primary.context.outputs);
  expect(backup.context.finished).toBe(true);
  expect(backup.alarms).toEqual([]);
  expect(tree(b)).toEqual(tree(a));
  return { primary, backup };
}

describe('every function of fs', () => {
  const refusedNames = new Set(['watch', 'watchFile', 'openAsBlob', 'Utf8Stream']);

  test('is mediated or refused: nothing of the real module is passed on but constants and classes', async () => {
    const { world } = await runOn(path.join(scratch, 'a'), () => {});
    const shared = new Set(['Stats', 'Dirent', '_toUnixTimestamp']);
    for (const name of Object.getOwnPropertyNames(fs)) {
      const ours = (world.fs as unknown as Record<string, unknown>)[name];
      const real = (fs as unknown as Record<string, unknown>)[name];
      expect(typeof ours, name).toBe(typeof real);
      if (typeof real === 'function' && !shared.has(name)) expect(ours, name).not.toBe(real);
      if (refusedNames.has(name)) expect(ours as () => void, name).toThrow(RefusedError);
    }
    expect(Object.keys(world.fs).filter((name) => !(name in fs))).toEqual([]);
  });

  test('so is every function of fs/promises and of FileHandle', async () => {
    const { world } = await runOn(path.join(scratch, 'a'), () => {});
    for (const [name, real] of Object.entries(fs.promises)) {
      const ours = (world.promises as unknown as Record<string, unknown>)[name];
      expect(typeof ours, name).toBe(typeof real);
      if (typeof real === 'function') expect(ours, name).not.toBe(real);
    }
    const real = await fs.promises.open('/dev/null');
    const names = Object.getOwnPropertyNames(Object.getPrototypeOf(real));
    await real.close();
    await runOn(path.join(scratch, 'a'), async ({ promises }) => {
      const handle = (await promises.open('new.txt', 'w')) as unknown as Record<string, unknown>;
      for (const name of names) expect(handle[name], name).toBeDefined();
      await (handle.close as () => Promise<void>).call(handle);
    });
    expect(() => world.promises.watch('x')).toThrow(RefusedError);
  });
});

describe('reads', () => {
  test('come from the record on the backup, whose own file differs', async () => {
    fs.writeFileSync(path.join(home, 'config.json'), '{"level":1}');
    const { primary } = await pair(
      ({ fs, tell }) => {
        tell(fs.readFileSync('config.json', 'utf8'));
        tell([...fs.readFileSync(path.join(home, 'config.json'))]);
        tell(fs.statSync('config.json').isFile());
        tell(fs.statSync('config.json').mtime);
        tell(fs.statSync('config.json', { bigint: true }).size);
        tell(fs.existsSync('gone'));
        tell(fs.readdirSync('.'));
        tell(fs.readdirSync('.', { withFileTypes: true }).map((entry) => [entry.name, entry.isFile()]));
        tell(fs.realpathSync('./config.json'));
        tell(fs.statfsSync('.').bsize);
        tell(fs.globSync('*.json'));
      },
      {},
      () => fs.rmSync(path.join(home, 'config.json')),
    );
    expect(primary.told.slice(0, 3)).toEqual(['{"level":1}', [...Buffer.from('{"level":1}')], true]);
    expect(primary.told.slice(5, 8)).toEqual([false, ['config.json'], [['config.json', true]]]);
  });

  test('errors are the same, with the program’s paths', async () => {
    const { primary } = await pair(({ fs, tell }) => {
      for (const action of [
        () => fs.readFileSync('/no/such/file'),
        () => fs.openSync('gone', 'r'),
        () => fs.readdirSync('gone'),
        () => fs.statSync('gone'),
        () => fs.accessSync('gone'),
        () => fs.readlinkSync('gone'),
      ]) {
        try {
          action();
        } catch (error) {
          tell(error);
        }
      }
      tell(fs.statSync('gone', { throwIfNoEntry: false }));
    });
    expect(primary.told[0]).toMatchObject({ code: 'ENOENT', errno: -2, path: '/no/such/file' });
    expect(primary.told).toHaveLength(7);
    expect(JSON.stringify(primary.told)).not.toContain(path.join(scratch, 'a'));
  });

  test('through a descriptor, with and without a position', async () => {
    fs.writeFileSync(path.join(home, 'data'), '0123456789');
    const { primary } = await pair(({ fs, tell }) => {
      const file = fs.openSync('data', 'r');
      const buffer = Buffer.alloc(4);
      tell([fs.readSync(file, buffer), buffer.toString()]);
      tell([fs.readSync(file, buffer, 0, 2, 8), buffer.toString()]);
      tell([fs.readSync(file, buffer, { offset: 1, length: 3 }), buffer.toString()]);
      tell(fs.readFileSync(file, 'utf8'));
      fs.closeSync(file);
      try {
        fs.readSync(file, buffer);
      } catch (error) {
        tell(error);
      }
    });
    expect(primary.told).toMatchObject([[4, '0123'], [2, '8923'], [3, '8456'], '789', { code: 'EBADF' }]);
  });

  test('larger than the record may hold are refused', async () => {
    fs.writeFileSync(path.join(home, 'big'), Buffer.alloc(recordedReadBytesMax + 1));
    const { primary } = await pair(({ fs, tell }) => {
      try {
        fs.readFileSync('big');
      } catch (error) {
        tell((error as NodeJS.ErrnoException).code);
      }
    });
    expect(primary.told).toEqual(['UNDERSTUDY_REFUSED']);
  });
});

describe('writes', () => {
  test('are done on both boards', async () => {
    const { primary } = await pair(({ fs }) => {
      fs.mkdirSync('logs/deep', { recursive: true });
      fs.writeFileSync('logs/a.txt', 'one');
      fs.appendFileSync('logs/a.txt', ' two');
      fs.copyFileSync('logs/a.txt', 'logs/b.txt');
      fs.renameSync('logs/b.txt', 'logs/deep/c.txt');
      fs.symlinkSync('a.txt', 'logs/link');
      fs.linkSync('logs/a.txt', 'logs/hard');
      fs.truncateSync('logs/hard', 2);
      fs.cpSync('logs', 'copy', { recursive: true, filter: (name) => !name.endsWith('hard') });
      fs.writeFileSync('gone', 'x');
      fs.unlinkSync('gone');
      fs.mkdirSync('empty');
      fs.rmdirSync('empty');
      fs.mkdirSync('full/er', { recursive: true });
      fs.rmSync('full', { recursive: true });
    });
    expect(tree(primary.root)).toMatchObject({
      'logs/a.txt': 'on',
      'logs/deep/c.txt': 'one two',
      'copy/a.txt': 'on',
      'logs/link': '-> a.txt',
    });
    expect(Object.keys(tree(primary.root))).not.toContain('copy/hard');
  });

  test('a joining board does not append twice and loses stale files', async () => {
    fs.writeFileSync(path.join(home, 'log'), 'before\n');
    await pair(
      ({ fs, tell }) => {
        fs.appendFileSync('log', 'now\n');
        fs.appendFileSync('new', 'first\n');
        const file = fs.openSync('third', 'a');
        fs.writeSync(file, 'x');
        fs.closeSync(file);
        tell(fs.readFileSync('log', 'utf8'));
      },
      { log: 'before\nnow\n', new: 'first\nfirst\n', third: 'xxxx' },
    );
    expect(fs.readFileSync(path.join(scratch, 'b', home, 'log'), 'utf8')).toBe('before\nnow\n');
    expect(fs.readFileSync(path.join(home, 'log'), 'utf8')).toBe('before\n');
  });

  test('replaying a history over its own files gives the same files', async () => {
    const program: Program = ({ fs }) => {
      fs.appendFileSync('log', 'a');
      fs.writeFileSync('state', '1');
      fs.renameSync('state', 'state.old');
      fs.writeFileSync('state', '2');
      fs.mkdirSync('folder');
    };
    const root = path.join(scratch, 'a');
    const first = await runOn(root, program);
    const after = tree(root);
    const again = await runOn(root, program, first.context);
    expect(again.alarms).toEqual([]);
    expect(tree(root)).toEqual(after);
    expect(after.log).toBe('a');
  });

  test('a file that was larger than a base may be is refused on both boards', async () => {
    fs.writeFileSync(path.join(home, 'big'), Buffer.alloc(baseBytesMax + 1));
    const { primary } = await pair(({ fs, tell }) => {
      try {
        fs.appendFileSync('big', 'x');
      } catch (error) {
        tell((error as NodeJS.ErrnoException).code);
      }
      fs.writeFileSync('big', 'whole');
    });
    expect(primary.told).toEqual(['UNDERSTUDY_REFUSED']);
  });

  test('a failed write is recorded and does nothing on the backup', async () => {
    const { primary } = await pair(({ fs, tell }) => {
      for (const action of [
        () => fs.writeFileSync('no/folder/here', 'x'),
        () => fs.mkdirSync('a/b/c'),
        () => fs.writeFileSync('twice', 'x', { flag: 'wx' }),
        () => fs.writeFileSync('twice', 'y', { flag: 'wx' }),
        () => fs.copyFileSync('twice', 'twice', fs.constants.COPYFILE_EXCL),
        () => fs.renameSync('gone', 'x'),
        () => fs.mkdirSync('.'),
      ]) {
        try {
          action();
        } catch (error) {
          tell(error);
        }
      }
    });
    expect(primary.told.map((error) => (error as { code: string }).code)).toEqual([
      'ENOENT',
      'ENOENT',
      'EEXIST',
      'EEXIST',
      'ENOENT',
      'EEXIST',
    ]);
    expect(tree(primary.root).twice).toBe('x');
  });

  test('the backup’s own failure is an alarm and not a divergence', async () => {
    const program: Program = ({ fs, tell }) => tell(fs.writeFileSync('folder', 'x'));
    const primary = await runOn(path.join(scratch, 'a'), program);
    fs.mkdirSync(path.join(scratch, 'b', home, 'folder'), { recursive: true });
    const backup = await runOn(path.join(scratch, 'b'), program, primary.context);
    expect(backup.told).toEqual(primary.told);
    expect(backup.alarms).toHaveLength(1);
    expect(backup.alarms[0]!.call).toContain('writeFile');
  });

  test('through a descriptor: positions, append, truncate, sync', async () => {
    const { primary } = await pair(({ fs, tell }) => {
      const file = fs.openSync('data', 'w+');
      tell(file);
      tell(fs.writeSync(file, 'hello world'));
      tell(fs.writeSync(file, Buffer.from('HELLO'), 0, 1, 0));
      tell(fs.writeSync(file, '!'));
      fs.ftruncateSync(file, 5);
      fs.fsyncSync(file);
      tell(fs.fstatSync(file).size);
      tell(fs.writevSync(file, [Buffer.from('a'), Buffer.from('b')], 5));
      const buffer = Buffer.alloc(7);
      tell([fs.readSync(file, buffer, 0, 7, 0), buffer.toString()]);
      fs.closeSync(file);
      const log = fs.openSync('data', 'a+');
      fs.writeSync(log, 'z');
      fs.closeSync(log);
      tell(fs.readFileSync('data', 'utf8'));
    });
    expect(primary.told).toEqual([10, 11, 1, 1, 5, 2, [7, 'Helloab'], 'Helloabz']);
  });

  test('what is deleted stays deleted though the lower layer has it', async () => {
    fs.writeFileSync(path.join(home, 'old'), 'x');
    fs.mkdirSync(path.join(home, 'folder'));
    fs.writeFileSync(path.join(home, 'folder/inner'), 'x');
    const { primary } = await pair(({ fs, tell }) => {
      fs.unlinkSync('old');
      tell(fs.existsSync('old'));
      try {
        fs.rmdirSync('folder');
      } catch (error) {
        tell((error as NodeJS.ErrnoException).code);
      }
      fs.renameSync('folder', 'moved');
      tell(fs.readFileSync('moved/inner', 'utf8'));
      tell([fs.existsSync('folder/inner'), fs.readdirSync('.')]);
      fs.mkdirSync('folder');
      tell(fs.readdirSync('folder'));
      fs.rmSync('moved', { recursive: true });
      tell(fs.readdirSync('.'));
    });
    expect(primary.told).toEqual([false, 'ENOTEMPTY', 'x', [false, ['moved']], [], ['folder']]);
    expect(fs.readdirSync(home)).toEqual(['folder', 'old']);
  });

  test('mkdtemp has the same name on both boards', async () => {
    const { primary } = await pair(async ({ fs, promises, tell }) => {
      tell(fs.mkdtempSync('work-'));
      tell(await promises.mkdtemp('work-'));
    });
    expect(new Set(primary.told).size).toBe(2);
    expect(primary.told[0]).toMatch(/^work-[a-zA-Z0-9]{6}$/);
  });

  test('to the hardware’s files are refused; /dev/null and the console are not', async () => {
    const { primary } = await pair(({ fs, tell }) => {
      for (const name of ['/sys/class/leds/led0/brightness', '/dev/gpiochip0', '/proc/x']) {
        expect(() => fs.writeFileSync(name, '1')).toThrow(RefusedError);
        expect(() => fs.openSync(name, 'r+')).toThrow(RefusedError);
      }
      fs.writeFileSync('/dev/null', 'x');
      fs.writeFileSync('/dev/stderr', 'loud');
      tell(fs.writeSync(1, 'said\n'));
      expect(() => fs.readSync(0, Buffer.alloc(1))).toThrow(RefusedError);
    });
    expect(primary.context.outputs).toMatchObject([{ stream: 'stderr' }, { stream: 'stdout' }]);
  });

  test('a device file or FIFO is refused, as a turn may not wait for it', async () => {
    await pair(({ fs, tell }) => {
      for (const action of [() => fs.openSync('/dev/tty', 'r'), () => fs.readFileSync('/dev/zero')]) {
        try {
          action();
        } catch (error) {
          tell((error as NodeJS.ErrnoException).code);
        }
      }
      tell(fs.readSync(fs.openSync('/dev/urandom', 'r'), Buffer.alloc(4)));
    });
  });
});

describe('asynchronous forms', () => {
  test('complete in the order of asking', async () => {
    const { primary } = await pair(async ({ fs, promises, tell }) => {
      await new Promise<void>((resolve) => {
        fs.writeFile('a', 'A'.repeat(1000), () => tell('write'));
        fs.stat('a', (_error, stats) => tell(stats.size));
        promises.readFile('a', 'utf8').then((text) => tell(text.length));
        fs.exists('a', (found) => tell(found));
        fs.readFile('gone', (error) => tell(error?.code));
        fs.mkdtemp('x', () => resolve());
      });
    });
    expect(primary.told).toEqual(['write', 1000, 1000, true, 'ENOENT']);
  });

  test('a missing callback and a wrong path are thrown at the call', async () => {
    await runOn(path.join(scratch, 'a'), ({ fs }) => {
      const loose = fs as unknown as Record<string, (...parameters: unknown[]) => void>;
      expect(() => loose.readFile!('a')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
      expect(() => loose.readFile!(7.5, () => {})).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      );
      expect(() => loose.stat!('a\0b', () => {})).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
      );
    });
  });

  test('promisified read and write give objects', async () => {
    await pair(async ({ fs, tell }) => {
      const file = await promisify(fs.open)('f', 'w+');
      tell((await promisify(fs.write)(file, 'abc')).bytesWritten);
      const { bytesRead, buffer } = await promisify(fs.read)(file, Buffer.alloc(3), 0, 3, 0);
      tell([bytesRead, buffer.toString()]);
      tell(await promisify(fs.exists)('f'));
    });
  });

  test('streams, of both kinds and through a pipeline', async () => {
    fs.writeFileSync(path.join(home, 'in'), 'line 1\nline 2\n'.repeat(10_000));
    const { primary } = await pair(async ({ fs, tell }) => {
      await pipeline(
        fs.createReadStream('in', { start: 7, highWaterMark: 5000 }),
        fs.createWriteStream('out'),
      );
      const log = fs.createWriteStream('log', { flags: 'a' });
      log.write('one ');
      await new Promise<void>((resolve) => log.end('two', resolve));
      tell(log.bytesWritten);
      const Reader = fs.ReadStream as unknown as new (name: string) => object;
      tell(new Reader('in') instanceof fs.ReadStream);
      const missing = fs.createReadStream('gone');
      tell(await new Promise((resolve) => missing.on('error', resolve)));
    });
    expect(tree(primary.root).out).toHaveLength(139_993);
    expect(primary.told).toMatchObject([7, true, { code: 'ENOENT' }]);
  });

  test('FileHandle: read, write, lines, iteration of a folder, glob', async () => {
    const { primary } = await pair(async ({ promises, tell }) => {
      const handle = await promises.open('notes', 'w+');
      await handle.write('first\nsecond\n');
      await handle.appendFile('third\n');
      tell((await handle.stat()).size);
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(5), 0, 5, 0);
      tell([bytesRead, buffer.toString()]);
      await handle.close();
      const lines = await promises.open('notes');
      for await (const line of lines.readLines()) tell(line);
      for await (const entry of await promises.opendir('.')) tell(entry.name);
      for await (const name of promises.glob('n*')) tell(name);
      await promises.writeFile(
        'joined',
        (async function* () {
          yield 'a';
          yield 'b';
        })(),
      );
      tell(await promises.readFile('joined', 'utf8'));
    });
    expect(primary.told).toEqual([19, [5, 'first'], 'first', 'second', 'third', 'notes', 'notes', 'ab']);
  });
});

describe('takeover', () => {
  test('the backup goes on with the same open files', async () => {
    fs.writeFileSync(path.join(home, 'in'), 'abcdef');
    let write = (_text: string): void => {};
    let read = (): string => '';
    const program: Program = ({ fs }) => {
      const log = fs.openSync('log', 'w');
      const input = fs.openSync('in', 'r');
      read = () => {
        const buffer = Buffer.alloc(2);
        fs.readSync(input, buffer);
        return buffer.toString();
      };
      write = (text) => void fs.writeSync(log, text);
      read();
      write('one ');
    };
    const { backup } = await pair(program);
    backup.context.mode = 'perform';
    expect(read()).toBe('cd');
    write('two');
    expect(tree(backup.root).log).toBe('one two');
    backup.world.fs.appendFileSync('log', ' three');
    expect(backup.world.fs.readFileSync('log', 'utf8')).toBe('one two three');
  });

  test('a file opened for reading that is gone by then fails with its own error', async () => {
    fs.writeFileSync(path.join(home, 'in'), 'abcdef');
    const { backup } = await pair(({ fs }) => fs.openSync('in', 'r'));
    fs.unlinkSync(path.join(home, 'in'));
    backup.context.mode = 'perform';
    expect(() => backup.world.fs.readSync(10, Buffer.alloc(1))).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    );
  });
});

test('files are used in place when filesRoot is /', async () => {
  const { told } = await runOn('/', ({ fs, tell }) => {
    fs.writeFileSync(path.join(home, 'x'), '1');
    fs.renameSync('x', 'y');
    tell(fs.readdirSync('.'));
    fs.rmSync('y');
    tell(fs.existsSync('y'));
  });
  expect(told).toEqual([['y'], false]);
});
