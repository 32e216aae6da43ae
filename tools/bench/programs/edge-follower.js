// Copies an input pin to an output pin: the shortest way there is from a sensor's edge to an actuator.
const five = require('johnny-five');
const board = new five.Board({ repl: false });

board.on('ready', function () {
  this.pinMode(2, five.Pin.INPUT);
  this.pinMode(13, five.Pin.OUTPUT);
  this.digitalRead(2, (level) => this.digitalWrite(13, level));
});
