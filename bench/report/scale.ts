export interface Scale {
  at(value: number): number;
  ticks: number[];
}

const placed = (position: number): number => Math.round(position * 10) / 10;

/** A scale from zero to a round number above all values. */
export const linearScale = (values: readonly number[], left: number, right: number): Scale => {
  const most = Math.max(...values, Number.MIN_VALUE);
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [0.2, 0.5, 1, 2].map((factor) => factor * power).find((size) => most / size <= 5.5) ?? power;
  const end = Math.ceil(most / step) * step;
  return {
    at: (value) => placed(left + (value / end) * (right - left)),
    ticks: Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step),
  };
};

/** A scale from a whole power of ten to the greatest value, with the powers in between as ticks. */
export const logScale = (values: readonly number[], left: number, right: number): Scale => {
  const positive = values.filter((value) => value > 0);
  const first = Math.floor(Math.log10(Math.min(...positive)));
  const last = Math.max(first + 1, Math.log10(Math.max(...positive)));
  const share = (value: number): number =>
    (Math.log10(Math.max(value, 10 ** first)) - first) / (last - first);
  return {
    at: (value) => placed(left + share(value) * (right - left)),
    ticks: Array.from({ length: Math.floor(last) - first + 1 }, (_, index) => 10 ** (first + index)),
  };
};
