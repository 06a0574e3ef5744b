using Npgsql;

namespace Shoal.Silo;

/// <summary>Keeps the list of silos in PostgreSQL.</summary>
internal static class PostgresMembership
{
    /// <summary>Makes the tables that are missing.</summary>
    /// <param name="connection">The database, as Npgsql writes it.</param>
    /// <exception cref="NpgsqlException">It does not answer, or this user may not make tables.</exception>
    public static void Prepare(string connection)
    {
        using Stream script = typeof(PostgresMembership).Assembly.GetManifestResourceStream("Shoal.Silo.PostgresMembership.sql")!;
        using var reader = new StreamReader(script);
        using var source = NpgsqlDataSource.Create(connection);
        using NpgsqlCommand command = source.CreateCommand(reader.ReadToEnd());
        command.ExecuteNonQuery();
    }

    /// <summary>Makes a silo find the others by it.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="connection">The database, as Npgsql writes it.</param>
    public static ISiloBuilder UsePostgres(this ISiloBuilder silo, string connection) =>
        silo.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", connection));
}
