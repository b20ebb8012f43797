// The least a compiled program can do: what the runtime alone costs.
console.log("hello");
