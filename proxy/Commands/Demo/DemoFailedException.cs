namespace Breakwater.Proxy.Commands.Demo;

/// <summary>The demo could not be run to its end; the message says why and what to do.</summary>
internal sealed class DemoFailedException(string message, Exception? inner = null) : Exception(message, inner);
