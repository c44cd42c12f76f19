namespace Breakwater.CacheStore;

/// <summary>Stored bytes are damaged or cannot be read. The store has forgotten the object: fetch it again.</summary>
public sealed class ObjectDamagedException(ObjectKey key, string reason, Exception? cause = null)
    : IOException($"The store's copy of {key} is lost: {reason}. It is fetched from upstream again when it is asked for.", cause);
