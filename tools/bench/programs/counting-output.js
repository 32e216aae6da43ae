// Writes a number, one more every 5 ms: whoever watches the pins sees what was lost, done twice or begun anew.
// 14 bits on pin 9; what is above them on pin 10, whenever it changes.
const five = require('johnny-five');
const board = new five.Board({ repl: false });

board.on('ready', function () {
  this.pinMode(9, five.Pin.PWM);
  this.pinMode(10, five.Pin.PWM);
  let count = 0;
  this.analogWrite(10, 0);
  setInterval(() => {
    count += 1;
    if (count % 16384 === 0) this.analogWrite(10, Math.floor(count / 16384));
    this.analogWrite(9, count % 16384);
  }, 5);
});
