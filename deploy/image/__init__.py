"""What runs inside the image of the containers, and how it is built."""
