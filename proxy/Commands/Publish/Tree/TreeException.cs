namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>The tree cannot be published as it is; the message is a sentence for the operator.</summary>
internal sealed class TreeException(string message) : IOException(message);
