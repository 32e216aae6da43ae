// Takes every value of an analog sensor and keeps a running mean; shows one in a hundred on a PWM pin.
const five = require('johnny-five');
const board = new five.Board({ repl: false });

board.on('ready', function () {
  this.pinMode(9, five.Pin.PWM);
  let mean = 0;
  let count = 0;
  this.analogRead(0, (value) => {
    mean += (value - mean) / 16;
    count += 1;
    if (count % 100 === 0) this.analogWrite(9, Math.round(mean / 4));
  });
});
