using System.Globalization;

namespace Breakwater.CacheStore.Faster;

/// <summary>One process owns a store: an advisory lock on the file <c>lock</c>; <c>lock.pid</c> names its holder. Released by the kernel when the process ends.</summary>
internal sealed class StoreLock : IDisposable
{
    private readonly FileStream _file;

    private StoreLock(FileStream file) => _file = file;

    /// <exception cref="StoreInUseException">Another process has it.</exception>
    public static StoreLock Take(string directory)
    {
        string path = Path.Combine(directory, "lock");
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new StoreInUseException(directory, ReadHolder(path + ".pid"));
        }

        try
        {
            File.WriteAllText(path + ".pid", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // a full disk: whoever wants the store is not told who has it
        }

        return new StoreLock(file);
    }

    public void Dispose() => _file.Dispose();

    private static int? ReadHolder(string path) =>
        File.Exists(path) && int.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out int processId) ? processId : null;
}
