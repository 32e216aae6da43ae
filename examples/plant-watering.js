// Plant watering: soil moisture on A0, pump motor (PWM) on 9, lamp on 13. Waters in short gulps and lets them sink in.
const five = require("johnny-five");
const board = new five.Board();

const settings = { dryBelow: 40, gulpMs: 1500, soakMs: 5000, gulpsMax: 5 };
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

board.on("ready", async () => {
  const soil = new five.Sensor({ pin: "A0", freq: 100 });
  const pump = new five.Motor(9);
  const lamp = new five.Led(13);
  const moisture = () => (soil.raw / 1023) * 100;

  await new Promise(resolve => soil.once("data", resolve));
  lamp.blink(500);

  let gulps = 0;
  for (;;) {
    if (moisture() >= settings.dryBelow) {
      gulps = 0;
    } else if (gulps < settings.gulpsMax) {
      gulps++;
      console.log("soil at %s %%: gulp %d", moisture().toFixed(0), gulps);
      for (let speed = 80; speed <= 240; speed += 20) {
        pump.start(speed);
        await sleep(60);
      }
      await sleep(settings.gulpMs);
      pump.stop();
    } else {
      console.log("still dry after %d gulps: is the reservoir empty?", gulps);
      lamp.blink(100);
    }
    await sleep(settings.soakMs);
  }
});
