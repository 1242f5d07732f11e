"""The documented shapes of both venues' trading replies, and what a reply has that they have not."""
