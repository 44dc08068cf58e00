"""OpenAI: the chat completions that the kit uses. The rules in `outside_world.language` give the answers."""
