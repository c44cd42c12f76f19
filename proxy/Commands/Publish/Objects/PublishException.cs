namespace Breakwater.Proxy.Commands.Publish.Objects;

/// <summary>
/// A publication is refused; the message is a sentence for the operator that says what to do. What was published before stays.
/// </summary>
internal sealed class PublishException(string message) : Exception(message);
