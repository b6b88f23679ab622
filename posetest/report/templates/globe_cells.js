// Cells of viewing direction: HEALPix in ring order (Gorski et al., ApJ 622 (2005) 759), the same as in
// posetest/geometry/grids.py. A direction is [x, y, z] in the object's frame: +y is its top, azimuth 0 its front (+z),
// and azimuth grows towards +x.
const TURN = 2 * Math.PI;
const RAD = Math.PI / 180;

function anglesToDirection(azimuth, elevation) {
  const across = Math.cos(elevation);
  return [across * Math.sin(azimuth), Math.sin(elevation), across * Math.cos(azimuth)];
}

function directionToAngles([x, y, z]) {
  return [Math.atan2(x, z), Math.asin(Math.min(Math.max(y, -1), 1))];
}

// Equations 4 to 9 of the paper.
function directionToCell([x, y, z], nside) {
  const height = Math.min(Math.max(y, -1), 1);
  let quarter = (((Math.atan2(x, z) % TURN) + TURN) % TURN) / (Math.PI / 2);
  if (quarter >= 4) quarter = 0;
  if (Math.abs(height) <= 2 / 3) {
    const rising = Math.floor(nside * (0.5 + quarter - height * 0.75));
    const falling = Math.floor(nside * (0.5 + quarter + height * 0.75));
    const ring = nside + 1 + rising - falling;
    const shift = 1 - (ring & 1);
    const within = (((rising + falling - nside + shift + 1) >> 1) + 4 * nside) % (4 * nside);
    return 2 * nside * (nside - 1) + (ring - 1) * 4 * nside + within;
  }
  const fraction = quarter - Math.floor(quarter);
  const scale = nside * Math.sqrt(3 * (1 - Math.abs(height)));
  const ring = Math.floor(fraction * scale) + Math.floor((1 - fraction) * scale) + 1;
  const within = Math.floor(quarter * ring) % (4 * ring);
  return height > 0 ? 2 * ring * (ring - 1) + within : 12 * nside * nside - 2 * ring * (ring + 1) + within;
}

// The direction at a place (u, v), each 0 to 1, of one of the 12 base faces (section 4.1 of the paper).
const FACE_ROW = [2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4];
const FACE_COLUMN = [1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7];
function faceToDirection(face, u, v) {
  const row = FACE_ROW[face] - u - v;
  let width = 1;
  let height = (2 - row) * (2 / 3);
  if (row < 1) {
    width = row;
    height = 1 - (width * width) / 3;
  } else if (row > 3) {
    width = 4 - row;
    height = (width * width) / 3 - 1;
  }
  const azimuth = width < 1e-12 ? 0 : ((FACE_COLUMN[face] * width + u - v) * Math.PI) / 4 / width;
  return anglesToDirection(azimuth, Math.asin(Math.min(Math.max(height, -1), 1)));
}

// All cells at a resolution, by number: { centre, edge }, the edge as a closed line of directions.
const madeCells = new Map();
function cellsOf(nside) {
  if (madeCells.has(nside)) return madeCells.get(nside);
  const cells = new Array(12 * nside * nside);
  const steps = Math.max(3, Math.ceil(16 / nside)); // of each side: edges are curved
  for (let face = 0; face < 12; face++) {
    for (let i = 0; i < nside; i++) {
      for (let j = 0; j < nside; j++) {
        const at = (u, v) => faceToDirection(face, (i + u) / nside, (j + v) / nside);
        const edge = [];
        for (let k = 0; k < steps; k++) edge.push(at(k / steps, 0));
        for (let k = 0; k < steps; k++) edge.push(at(1, k / steps));
        for (let k = 0; k < steps; k++) edge.push(at(1 - k / steps, 1));
        for (let k = 0; k < steps; k++) edge.push(at(0, 1 - k / steps));
        const centre = at(0.5, 0.5);
        cells[directionToCell(centre, nside)] = { centre, edge };
      }
    }
  }
  madeCells.set(nside, cells);
  return cells;
}

// Mollweide map coordinates, x in [-2, 2] and y in [-1, 1]; azimuths beyond a half turn lie off the map.
function mollweide(azimuth, elevation) {
  const target = Math.PI * Math.sin(elevation);
  let theta = elevation;
  for (let k = 0; k < 30; k++) {
    const slope = Math.max(2 + 2 * Math.cos(2 * theta), 1e-9);
    theta -= (2 * theta + Math.sin(2 * theta) - target) / slope;
    theta = Math.min(Math.max(theta, -Math.PI / 2), Math.PI / 2);
  }
  return [(2 / Math.PI) * azimuth * Math.cos(theta), Math.sin(theta)];
}

// The direction under a point of the map; null off it.
function mollweideToDirection(x, y) {
  if ((x / 2) ** 2 + y ** 2 > 1) return null;
  const theta = Math.asin(y);
  const sine = (2 * theta + Math.sin(2 * theta)) / Math.PI;
  const azimuth = (Math.PI * x) / (2 * Math.max(Math.cos(theta), 1e-12));
  return anglesToDirection(azimuth, Math.asin(Math.min(Math.max(sine, -1), 1)));
}
