// Wall clock on a 16x2 display with an I2C backpack (PCF8574 at 0x27), with a second hand of an LED on 9.
const five = require("johnny-five");
const board = new five.Board();

board.on("ready", () => {
  const lcd = new five.LCD({ controller: "PCF8574", address: 0x27 });
  const hand = new five.Led(9);
  let shown = "";

  setInterval(() => {
    const now = new Date();
    const time = now.toLocaleTimeString("en-GB");
    hand.brightness(Math.round((now.getMilliseconds() / 1000) * 255));
    if (time !== shown) {
      shown = time;
      lcd.home().print(time.padEnd(16)).cursor(1, 0).print(now.toISOString().slice(0, 10));
      console.log(time);
    }
  }, 50);
});
