"""The queue: the tasks that workers run, and how to enqueue them."""
