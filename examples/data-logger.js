// Data logger: two analog inputs, a row in readings.csv every 200 ms, a lamp on 13 for every row.
const fs = require("fs");
const five = require("johnny-five");
const board = new five.Board();

board.on("ready", () => {
  const sensors = new five.Sensors([{ pin: "A0", freq: 50 }, { pin: "A1", freq: 50 }]);
  const lamp = new five.Led(13);
  const file = fs.createWriteStream("readings.csv");
  let rows = 0;

  file.write("time,a0,a1\n");
  board.loop(200, () => {
    file.write(`${new Date().toISOString()},${sensors[0].raw},${sensors[1].raw}\n`);
    lamp.toggle();
    if (++rows % 25 === 0) console.log("%d rows in readings.csv", rows);
  });

  board.on("exit", () => file.end());
});
