/**
 * The script that people write: one process a board, the libraries loaded, connected to an MQTT broker with a last will.
 * When the other board's will arrives, or its word that it leaves, this one runs the program.
 *
 * Run by will-contestant.ts with bare-preload.ts. SIGUSR2: hand over and leave.
 */
import { createRequire } from 'node:module';
import { MqttClient } from './mqtt-client.ts';

const require = createRequire(import.meta.url);
const {
  STANDBY_BOARD: board = 'a',
  STANDBY_ROLE: role = 'backup',
  STANDBY_BROKER_PORT: port = '1883',
  STANDBY_KEEP_ALIVE_S: keepAlive = '1',
  STANDBY_PROGRAM: program = '',
} = process.env;
const other = board === 'a' ? 'b' : 'a';
const topicOf = (name: string): string => `pair/${name}`;

// Warm: what takes longest is done before it is needed.
require('johnny-five');
const client = await MqttClient.connect({
  port: Number(port),
  clientId: board,
  keepAliveS: Number(keepAlive),
  will: { topic: topicOf(board), text: 'lost' },
});
let isRunning = false;

function run(): void {
  if (isRunning) return;
  isRunning = true;
  require(program);
}

client.onMessage = run;
await client.subscribe(topicOf(other));
process.once('SIGUSR2', () => {
  void client
    .publish(topicOf(board), 'leaves')
    .then(() => client.end())
    .then(() => process.exit(0));
});
if (role === 'primary') run();
process.stdout.write('ready\n');
