using Breakwater.CacheStore;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary>
/// The settings on disk, for commands that ask a running Breakwater: mistakes in them are said, and do not keep a command from asking it.
/// </summary>
internal static class OnDisk
{
    /// <summary>Reads them; says on standard error that they are wrong, if they are.</summary>
    /// <param name="settingsFile">Value of <see cref="SettingsFile.Option"/>.</param>
    /// <param name="overlay">Values of the command on top; null: none.</param>
    /// <exception cref="SettingsException">They are so wrong that it is not known where the admin port is.</exception>
    public static ReadableSettings Read(FileInfo? settingsFile, IReadOnlyDictionary<string, string?>? overlay = null)
    {
        ReadableSettings read = SettingsFile.ReadReadable(settingsFile, overlay);
        if (read.Wrong is null)
        {
            return read;
        }

        if (!read.KnowsAdmin)
        {
            throw read.Wrong;
        }

        string check = settingsFile is null ? "breakwater settings check" : $"breakwater settings check {settingsFile.FullName}";
        Console.Error.WriteLine($"The settings on disk are wrong, and a running Breakwater goes on with those it had ('{check}' shows all "
            + $"mistakes): {read.Wrong.Mistakes[0]}");
        return read;
    }

    /// <summary>
    /// Works on the store itself, or asks the server that owns it. With wrong settings the store is not opened: only a server is asked.
    /// </summary>
    /// <param name="read">The settings.</param>
    /// <param name="onStore">Works on the store, which it opens.</param>
    /// <param name="onServer">Asks the server.</param>
    /// <exception cref="SettingsException">They are wrong, and no server answers.</exception>
    public static async Task<T> OnStoreOrServerAsync<T>(
        ReadableSettings read, Func<Task<T>> onStore, Func<AdminClient, Task<T>> onServer)
    {
        if (read.Wrong is null)
        {
            try
            {
                return await onStore();
            }
            catch (StoreInUseException)
            {
                // Its owner is asked.
            }
        }

        try
        {
            using var client = new AdminClient(read.Settings);
            return await onServer(client);
        }
        catch (AdminException e) when (read.Wrong is not null && e.Status is null)
        {
            throw read.Wrong;
        }
    }
}
