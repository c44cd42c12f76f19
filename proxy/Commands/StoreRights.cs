using Breakwater.CacheStore.Store;

namespace Breakwater.Proxy.Commands;

/// <summary>What is said when a command may not open the store: it belongs to the service.</summary>
internal static class StoreRights
{
    private const int PermissionDenied = 13; // EACCES

    /// <summary>Opens the store, or what is in it.</summary>
    /// <param name="path">Its directory.</param>
    /// <param name="open">Opens it.</param>
    /// <exception cref="UnauthorizedAccessException">Permission is missing; the message says whose it is and what to do.</exception>
    public static async Task<T> ExplainAsync<T>(string path, Func<Task<T>> open)
    {
        try
        {
            return await open();
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException { HResult: PermissionDenied })
        {
            throw Explain(path, e);
        }
    }

    /// <summary>The failure with what to do; one that says it already as it is.</summary>
    public static UnauthorizedAccessException Explain(string path, Exception failure) => failure as ForeignStoreException
        ?? new UnauthorizedAccessException(
            $"{failure.Message} The store {path} belongs to the service: run this as its user (sudo -u breakwater breakwater …) "
            + "or as root.",
            failure);
}
