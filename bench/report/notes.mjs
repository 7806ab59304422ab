/** What stands in the report around the figures. */
export const method = `x`;
export const notes = {};
