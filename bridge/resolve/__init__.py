"""The helper process that DaVinci Resolve's menu script starts, and that controls the script."""
