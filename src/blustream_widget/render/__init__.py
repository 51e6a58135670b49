"""From voxel values to pictures: colour maps, window and level, placement on the pane, scaling."""
