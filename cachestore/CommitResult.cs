namespace Breakwater.CacheStore;

/// <summary>How the attempt to store an object ended. Only the first two mean that the store holds it.</summary>
public enum CommitResult
{
    /// <summary>Stored: it survives a kill of the process from now on.</summary>
    Committed,

    /// <summary>The store held it already.</summary>
    AlreadyPresent,

    /// <summary>The bytes do not have the key's digest. Nothing was stored.</summary>
    HashMismatch,

    /// <summary>Longer than <see cref="StoreOptions.MaxObjectBytes"/>. Nothing was stored.</summary>
    TooLarge,

    /// <summary>No room: quota or disk. Nothing was stored; the bytes themselves were right.</summary>
    StoreFull,

    /// <summary>The store failed (I/O error, shut down). Nothing is known to be stored; the bytes themselves were right.</summary>
    Failed,
}
