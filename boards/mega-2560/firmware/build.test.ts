/** The committed hex is what the sources give, its stack is proven, and the prover sees what it must refuse. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { reportBuild } from './stack-report.ts';

/** The bytes of a build belong to one compiler and one library. */
const compiler = { gcc: '5.4.0', libc: '2.0.0' };
const here = fileURLToPath(new URL('.', import.meta.url));

/** Null: it can be compared. */
function reasonNotToCompare(): string | null {
  let gcc: string;
  try {
    gcc = execFileSync('avr-gcc', ['-dumpversion'], { encoding: 'utf8' }).trim();
  } catch {
    return 'needs Debian packages gcc-avr and avr-libc';
  }
  if (gcc !== compiler.gcc) return `the committed hex was built with gcc-avr ${compiler.gcc} (here: ${gcc})`;
  try {
    const macros = execFileSync(
      'avr-gcc',
      ['-E', '-dM', '-include', 'avr/version.h', '-x', 'c', '/dev/null'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const libc = /__AVR_LIBC_VERSION_STRING__ "(.+)"/.exec(macros)?.[1];
    return libc === compiler.libc
      ? null
      : `the committed hex was built with avr-libc ${compiler.libc} (here: ${libc})`;
  } catch {
    return 'needs Debian package avr-libc';
  }
}

test('the sources give the committed hex, wherever they are built', (context) => {
  const reason = reasonNotToCompare();
  if (reason !== null) return context.skip(reason);
  const directory = mkdtempSync(join(tmpdir(), 'understudy-firmware-'));
  try {
    const printed = execFileSync('make', ['-C', here, `BUILD=${directory}`, `NODE=${process.execPath}`], {
      encoding: 'utf8',
    });
    const built = readFileSync(join(directory, 'understudy-mega-2560.hex'), 'utf8');
    const committed = readFileSync(join(here, 'understudy-mega-2560.hex'), 'utf8');
    expect(built === committed, 'make -C boards/mega-2560/firmware hex, and commit the result').toBe(true);
    expect(printed).toMatch(/worst stack \d+ bytes/);
    const free = Number(/RAM free\s+(\d+)/.exec(printed)?.[1]);
    expect(free).toBeGreaterThan(1024);
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 120_000);

describe('the stack report', () => {
  const sections = `
  0 .data         0000000a  00800200  00001000  00001100  2**0
  1 .text         00001000  00000000  00000000  000000b4  2**1
  2 .bss          00000100  0080020a  0080020a  0000110a  2**0`;
  const code = (main: string, called: string, interrupt = '') => `
00000100 <main>:
     100:\t1f 93       \tpush\tr17
${main}
     108:\t08 95       \tret

00000110 <called>:
     110:\tcf 93       \tpush\tr28
     112:\tdf 93       \tpush\tr29
${called}
     118:\t08 95       \tret

00000120 <__vector_23>:
     120:\t1f 92       \tpush\tr1
${interrupt}
     128:\t18 95       \treti
`;
  const call = '     102:\t0e 94 88 00 \tcall\t0x110\t; 0x110 <called>';

  test('adds what is on the way: pushes, return addresses, the deepest interrupt', () => {
    const report = reportBuild(code(call, ''), sections, []);
    // 3 + 1 for main, 3 + 2 for the call, 3 + 1 for the interrupt.
    expect(report.lines).toContain('worst stack 13 bytes (main 9, interrupt 4)');
    expect(report.lines).toContain('static RAM  266 of 8192 bytes');
    expect(report.lines).toContain('flash       4106 of 262144 bytes');
    expect(report.faults).toEqual([]);
  });

  test('takes the compiler at its word when it says more', () => {
    const report = reportBuild(code(call, ''), sections, ['x.c:1:6:called\t33\tstatic\n']);
    expect(report.lines).toContain('worst stack 41 bytes (main 37, interrupt 4)');
  });

  test('refuses recursion, also by a detour', () => {
    const back = '     114:\t0e 94 80 00 \tcall\t0x100\t; 0x100 <main>';
    expect(reportBuild(code(call, back), sections, []).faults).toEqual(['recursion: main > called > main']);
  });

  test('refuses calls through pointers', () => {
    const faults = reportBuild(code(call, '     114:\t09 95       \ticall'), sections, []).faults;
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^called /);
  });

  test('refuses interrupts that let others in', () => {
    const faults = reportBuild(code('', '', '     122:\t78 94       \tsei'), sections, []).faults;
    expect(faults[0]).toMatch(/^__vector_23 /);
  });

  test('refuses what does not fit in RAM or flash', () => {
    const faults = reportBuild(code(call, ''), sections.replace('00000100', '00001ff0'), []).faults;
    expect(faults).toEqual(['static RAM and worst stack must be at most 8192 bytes (need 8186 + 13)']);
    expect(
      reportBuild(code('', ''), sections.replace('.text         00001000', '.text         00040000'), [])
        .faults[0],
    ).toMatch(/^flash /);
  });
});
