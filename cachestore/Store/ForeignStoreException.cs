namespace Breakwater.CacheStore.Store;

/// <summary>The store belongs to another user, and this process is root's. The message says as whom to go on.</summary>
/// <param name="message">Says so.</param>
public sealed class ForeignStoreException(string message) : UnauthorizedAccessException(message);
