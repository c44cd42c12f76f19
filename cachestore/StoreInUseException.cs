namespace Breakwater.CacheStore;

/// <summary>Another process has the store open.</summary>
public sealed class StoreInUseException(string path, int? processId) : IOException(
    $"The store '{path}' is in use by {(processId is { } id ? $"process {id}" : "another process")}. "
    + "One process owns a store: stop that one, or set Store:Path to another directory.")
{
    /// <summary>The process that has it, null when it did not say.</summary>
    public int? ProcessId { get; } = processId;
}
