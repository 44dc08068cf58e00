// Numbers in a form that people read. api/pages/display.py does the same on the server.

export function seconds(value) {
  if (value < 1) return `${Math.round(Math.max(value, 0) * 1000)} ms`;
  if (value < 60) return `${value.toFixed(value < 10 ? 2 : 1)} s`;
  const [whole, units] = value < 3600 ? [Math.floor(value), ["min", "s"]] : [Math.floor(value / 60), ["h", "min"]];
  const small = whole % 60;
  return `${Math.floor(whole / 60)} ${units[0]}${small ? ` ${small} ${units[1]}` : ""}`;
}

export function age(at, now = Date.now() / 1000) {
  const past = Math.max(0, now - at);
  if (past < 60) return `${Math.floor(past)} s`;
  if (past < 3600) return `${Math.floor(past / 60)} min`;
  if (past < 86400) return `${Math.floor(past / 3600)} h`;
  return `${Math.floor(past / 86400)} d`;
}

export const number = new Intl.NumberFormat("en").format;
