/**
 * `understudy run`: one board of the pair. Puts the parts together, and nothing else.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { stop as stopBundler } from 'esbuild';
import { Channel } from '../protocol/channel.ts';
import { FailureDetector } from '../protocol/detector.ts';
import { DeviceController } from '../protocol/device-stream/controller.ts';
import { heartbeatIntervalMsOn } from '../protocol/link-state.ts';
import { Session } from '../protocol/session.ts';
import { BoardLog } from './board-log.ts';
import { BundleError } from './bundle/bundle-error.ts';
import { bundleProgram } from './bundle/bundler.ts';
import { runtimeIdentity } from './bundle/runtime-identity.ts';
import { type Config, ConfigError, loadConfig } from './config/config.ts';
import { readPairKey } from './config/pair-key.ts';
import { BoardOnConsole } from './console/board-on-console.ts';
import { ConsoleServer } from './console/console-server.ts';
import { nodeCrypto } from './crypto.ts';
import { exitCodes } from './exit-codes.ts';
import { JournalError } from './journal/entry.ts';
import { keepBundle } from './journal/past-journals.ts';
import type { DatagramLink } from './links/link.ts';
import { openSerialLink } from './links/serial.ts';
import { openUdpLink } from './links/udp.ts';
import { BoardWatch } from './metrics/board-watch.ts';
import { raisePriority } from './priority.ts';
import { StateError, writeBundle } from './state-directory.ts';
import type { ExitReason, Report } from './supervisor/effects.ts';
import { Host } from './supervisor/host.ts';
import { Supervisor } from './supervisor/supervisor.ts';

export interface RunOptions {
  board: 'a' | 'b';
  configFile: string;
  /** Log as NDJSON instead of lines for people. */
  json: boolean;
  /** End at once when standard input ends: for rigs, whose boards must not outlive them. */
  untilStdinEnds?: boolean;
}

const exitCodeOf: Record<ExitReason, number> = {
  PROGRAM_EXITED: exitCodes.ok.code,
  PROGRAM_FAILED: exitCodes.program.code,
  PAIR_MISMATCH: exitCodes.mismatch.code,
  PEER_KEY_MISMATCH: exitCodes.pairKey.code,
  LEFT: exitCodes.ok.code,
  // A service manager that restarts after failures only leaves the device in its safe state.
  OPERATOR_SAFE: exitCodes.ok.code,
};

const prologue = 'understudy pair 1';
const sendBufferBytesMax = 1024 * 1024;
const receiveBufferBytesMax = 1024 * 1024;
const claimRetryMs = 250;

/** Runs until the board is told to leave, or cannot go on. Returns the process's exit code. */
export async function runBoard(options: RunOptions): Promise<number> {
  const log = new BoardLog(options.board, options.json);
  try {
    const config = loadConfig(options.configFile);
    log.level = config.log.level;
    if (options.untilStdinEnds === true) {
      process.stdin.on('end', () => process.exit(exitCodes.terminated.code));
      // It is listened to, but does not keep a board alive that has ended.
      process.stdin.resume().unref();
    }
    return await runWith(config, options.board, log);
  } catch (error) {
    if (error instanceof ConfigError) return log.fatal(error.code, error.message);
    if (error instanceof BundleError) return log.fatal(error.code, error.message);
    if (error instanceof JournalError) return log.fatal(error.code, error.message);
    if (error instanceof StateError) return log.fatal(error.code, error.message);
    throw error;
  }
}

async function runWith(config: Config, board: 'a' | 'b', log: BoardLog): Promise<number> {
  const own = config.boards[board];
  const pairKey = readPairKey(config);
  const bundle = await bundleProgram(config.program);
  // The bundler's own process has done its work; a board may have to keep 20 MB for better use.
  await stopBundler();
  const boot = writeBundle(own.state, own.filesRoot, config.program, bundle);
  const links = openLinks(config, board);
  const identity = { programHash: bundle.hash, runtime: { ...runtimeIdentity() } };
  const version = ownVersion();
  // Until the consoles are there.
  let tellBoard = (report: Report): void => log.report(report);
  const watch = new BoardWatch({
    board,
    config,
    version,
    programHash: bundle.hash,
    linkNames: links.map((link) => link.name),
    environment: process.env,
    report: (report) => tellBoard(report),
  });
  await keepBundle(own.state, bundle).catch((error: Error) => {
    tellBoard({ level: 'warning', code: 'BUNDLE_NOT_KEPT', text: `for replays later on: ${error.message}` });
  });
  const supervisor = watch.observe(buildSupervisor(config, board, links, pairKey));
  const refused = raisePriority(process.pid);
  if (refused !== null) {
    const text = `normal scheduling priority (${refused}): run as root or with LimitNICE=-20, or expect late heartbeats`;
    log.report({ level: 'warning', code: 'PRIORITY_NORMAL', text });
  }
  return await new Promise<number>((resolve, reject) => {
    let server: ConsoleServer | null = null;
    const tell = (report: Report): void => {
      log.report(report);
      watch.reported(report);
      server?.tell(report);
    };
    tellBoard = tell;
    const finish = (code: number): void => {
      const closed = server?.close();
      watch.close();
      process.off('SIGTERM', leave);
      process.off('SIGINT', leave);
      Promise.all([host.stop(), closed]).then(() => resolve(code), reject);
    };
    const leave = (): void => {
      log.report({ level: 'info', code: 'LEAVING', text: 'told to stop' });
      watch.stopping();
      host.input({ kind: 'leave' });
      setTimeout(() => finish(exitCodes.ok.code), leaveMsMax).unref();
    };
    const host = new Host({
      board,
      supervisor,
      links,
      devices: config.devices.map((device) => ({
        name: device.name,
        path: device.ports[board],
        baudRate: device.baudRate,
      })),
      boot,
      identity,
      program: config.program,
      stateDirectory: own.state,
      journal: watch.journalOptions(),
      onReport: tell,
      onJournal: (entry) => onConsole.journalled(entry),
      onReplica: (seen) => onConsole.replicaSaw(seen),
      onConsole: (stream, bytes) => {
        log.program(stream, bytes);
      },
      onExit: (reason) => finish(exitCodeOf[reason]),
    });
    const onConsole = new BoardOnConsole({ board, version, programHash: bundle.hash, config, log, host });
    server = new ConsoleServer({
      board: onConsole,
      socket: own.console,
      ports: own.consolePorts,
      onFault: tell,
    });
    // At a terminal, what is typed is for the program (johnny-five has a REPL); a pipe or /dev/null would end it.
    if (process.stdin.isTTY) {
      process.stdin.on('data', (bytes: Buffer) =>
        host.input({ kind: 'stdin', bytes: new Uint8Array(bytes) }),
      );
      process.stdin.unref();
    }
    process.on('SIGTERM', leave);
    process.on('SIGINT', leave);
    watch.begin(() => host.status());
    host
      .start()
      .then(() => watch.ready())
      .catch((error: unknown) => {
        host.stop().finally(() => {
          watch.close();
          server?.close();
          reject(error);
        });
      });
  });
}

function ownVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** An orderly leave hands the reign over; it must not take for ever. */
const leaveMsMax = 10_000;

function openLinks(config: Config, board: 'a' | 'b'): DatagramLink[] {
  const { serial, ethernet } = config.boards[board];
  const links: DatagramLink[] = [];
  if (ethernet !== null) links.push(openUdpLink(ethernet));
  if (serial !== null) links.push(openSerialLink(serial));
  return links;
}

function buildSupervisor(
  config: Config,
  board: 'a' | 'b',
  links: DatagramLink[],
  pairKey: Uint8Array,
): Supervisor {
  const { timing, policy } = config;
  const bootId = new Uint8Array(randomBytes(8));
  const channel = new Channel({
    role: board === 'a' ? 'initiator' : 'responder',
    pairKey,
    prologue: new TextEncoder().encode(prologue),
    crypto: nodeCrypto,
    handshakePayload: bootId,
  });
  const sessionLinks = links.map(({ name, bitsPerSecond, datagramBytesMax }) => ({
    name,
    bitsPerSecond,
    datagramBytesMax,
  }));
  const { heartbeatIntervalMs, detectionTimeoutMs, suspectTimeoutMs } = timing;
  return new Supervisor({
    board,
    pair: { waitForPeerMs: timing.waitForPeerMs, alone: policy.alone, claimRetryMs },
    session: new Session({
      board,
      bootId,
      channel,
      links: sessionLinks,
      heartbeatIntervalMs,
      sendBufferBytesMax,
      receiveBufferBytesMax,
    }),
    detector: new FailureDetector({
      links: sessionLinks.map((link) => ({
        name: link.name,
        intervalMs: heartbeatIntervalMsOn(link, heartbeatIntervalMs),
      })),
      detectionTimeoutMs,
      suspectTimeoutMs,
    }),
    linkNames: links.map((link) => link.name),
    devices: config.devices.map((device) => ({
      options: { name: device.name, kind: device.kind, arbiter: device.arbiter },
      controller:
        device.kind === 'fenced'
          ? new DeviceController({
              bitsPerSecond: device.baudRate,
              keepaliveIntervalMs: timing.keepaliveIntervalMs,
              deviceTimeoutMs: timing.deviceTimeoutMs,
            })
          : null,
    })),
    heartbeatIntervalMs,
    turnTimeoutMs: timing.turnTimeoutMs,
    lagTurnsMax: timing.lagTurnsMax,
    lagMsMax: timing.lagMsMax,
    fsync: config.journal.fsync,
    programFailure: policy.programFailure,
    programExit: policy.programExit,
    restartDelayMs: policy.restartDelayMs,
    restartsMax: policy.restartsMax,
    start: {
      argv: config.arguments,
      // The zone is the board's unless the config says otherwise; that both boards have the same one is checked.
      env: { TZ: runtimeIdentity().timeZone, ...config.environment },
      hostname: hostname(),
      ports: config.devices.map((device) => device.name),
      stdinIsTerminal: false,
    },
    randomHex: (bytes) => randomBytes(bytes).toString('hex'),
    wallTimeUs: () => Date.now() * 1000,
  });
}
