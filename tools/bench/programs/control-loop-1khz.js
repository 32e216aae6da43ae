// A control loop that runs every millisecond on the latest value, and sets its actuator at every tenth run.
const five = require('johnny-five');
const board = new five.Board({ repl: false });

board.on('ready', function () {
  this.pinMode(9, five.Pin.PWM);
  let value = 512;
  let integral = 0;
  let runs = 0;
  this.analogRead(0, (latest) => {
    value = latest;
  });
  setInterval(() => {
    const error = 512 - value;
    integral = Math.max(-2000, Math.min(2000, integral + error * 0.001));
    runs += 1;
    if (runs % 10 === 0)
      this.analogWrite(9, Math.max(0, Math.min(255, Math.round(128 + error * 0.2 + integral))));
  }, 1);
});
