// Holds an output on and waits for the word at which it fails, in the way that its first argument says.
const five = require('johnny-five');

const [fault] = process.argv.slice(2);
const board = new five.Board({ repl: false });

const faults = {
  throws: () => {
    throw new RangeError('the valve is neither open nor closed');
  },
  hangs: () => {
    for (;;);
  },
  'exits-0': () => process.exit(0),
  'exits-3': () => process.exit(3),
};

board.on('ready', () => {
  const led = new five.Led(13);
  led.on();
  console.log('on');
  board.io.on('string', () => faults[fault]());
});
