"""Language models behind one narrow protocol: `chat` holds its words, `openai_chat` and `rehearsal` speak it."""
