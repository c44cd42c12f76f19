using System.Globalization;
using System.Text;
using Breakwater.CacheStore.Disk;

namespace Breakwater.CacheStore.Store;

/// <summary>
/// Root could open anybody's store, but what it makes there is root's, and shuts the service's user out: the next start would fail.
/// </summary>
internal static class StoreOwner
{
    private const string Users = "/etc/passwd";

    /// <summary>Refuses the store of another user to root.</summary>
    /// <param name="directory">The store's directory, which is there.</param>
    /// <param name="disk">The disk that it is on.</param>
    /// <param name="isRoot">Is this process root's?</param>
    /// <exception cref="ForeignStoreException">The store is another user's. The message says how to go on.</exception>
    public static void Check(string directory, StoreDisk disk, bool isRoot)
    {
        if (!isRoot || disk.OwnerOf(directory) is not (uint owner and not 0))
        {
            return;
        }

        string user = NameOf(owner, ReadUsers(disk)) ?? $"#{owner}";
        throw new ForeignStoreException(
            $"The store {directory} is the user {user}'s, and root would leave files there that shut that user out. "
            + $"Do it as that user: sudo -u {user} breakwater …");
    }

    /// <summary>The name of a user in the lines of <c>/etc/passwd</c>; null: none has the number.</summary>
    internal static string? NameOf(uint number, IEnumerable<string> users)
    {
        string wanted = number.ToString(CultureInfo.InvariantCulture);
        return users.Select(line => line.Split(':')).FirstOrDefault(fields => fields.Length > 2 && fields[2] == wanted)?[0];
    }

    private static string[] ReadUsers(StoreDisk disk)
    {
        try
        {
            return Encoding.UTF8.GetString(disk.ReadAll(Users)).Split('\n');
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
