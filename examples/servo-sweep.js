// Antenna rotor: a servo on 10 sweeps; the button on 4 stops it where it is and starts it again.
const five = require("johnny-five");
const board = new five.Board();

board.on("ready", () => {
  const rotor = new five.Servo({ pin: 10, range: [10, 170], startAt: 90 });
  const button = new five.Button(4);
  let sweeping = true;

  const sweep = () => rotor.sweep({ range: [20, 160], interval: 2000, step: 2 });

  button.on("press", () => {
    sweeping = !sweeping;
    if (sweeping) sweep();
    else rotor.stop();
    console.log(sweeping ? "sweeping" : `stopped at ${Math.round(rotor.position)} degrees`);
  });

  rotor.on("move:complete", () => console.log("turned"));
  sweep();
});
